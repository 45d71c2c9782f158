
BEGIN
  INSERT INTO public.changes (user_id, was, became)
  SELECT n.id, o.email, n.email FROM new_rows n JOIN old_rows o USING (id) WHERE n.email IS DISTINCT FROM o.email;
  RETURN NULL;
END;
