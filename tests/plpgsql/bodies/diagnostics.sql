
DECLARE
  rows_done bigint;
  detail text; hint text; context text;
BEGIN
  UPDATE public.members SET seen = now() WHERE user_id = NEW.id;
  GET DIAGNOSTICS rows_done = ROW_COUNT;
  IF rows_done = 0 THEN INSERT INTO public.members (user_id) VALUES (NEW.id); END IF;
  RETURN NEW;
EXCEPTION
  WHEN foreign_key_violation OR check_violation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint := PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RAISE EXCEPTION 'cannot join' USING DETAIL = detail, HINT = hint, ERRCODE = 'P0001';
  WHEN SQLSTATE '22P02' THEN
    RETURN NEW;
END;
