
DECLARE
  v_name text;
BEGIN
  SELECT display_name
    INTO v_name
    FROM public.people
   WHERE id = NEW.id;
  IF v_name IS NULL
  THEN
    RAISE EXCEPTION 'nobody %',
      NEW.id;
  END IF;
  RETURN NEW;
END;
