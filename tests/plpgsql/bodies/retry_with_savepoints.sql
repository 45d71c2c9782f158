
DECLARE
  code text;
BEGIN
  FOR attempt IN 1..5 LOOP
    code := substr(md5(random()::text), 1, 8);
    BEGIN
      INSERT INTO public.referrals (user_id, code) VALUES (NEW.id, code);
      RETURN NEW;
    EXCEPTION WHEN unique_violation THEN
      CONTINUE;
    END;
  END LOOP;
  RAISE EXCEPTION 'no free code after % tries', 5;
END;
