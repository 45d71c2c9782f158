
BEGIN
  NEW.email := lower(trim(NEW.email));
  RETURN NEW;
END