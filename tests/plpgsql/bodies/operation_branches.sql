
BEGIN
  IF TG_OP = 'INSERT' THEN
    UPDATE public.counters SET users = users + 1;
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' THEN
    IF NEW.email IS DISTINCT FROM OLD.email THEN
      UPDATE public.profiles SET email = NEW.email WHERE id = NEW.id;
    END IF;
    RETURN NEW;
  ELSEIF (TG_OP = 'DELETE') THEN
    DELETE FROM public.profiles WHERE id = OLD.id;
    RETURN OLD;
  END IF;
  RETURN NULL; -- an AFTER trigger's value is ignored
END;
