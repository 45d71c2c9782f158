
BEGIN
  IF split_part(NEW.email, '@', 2) NOT IN ('example.com', 'example.org')
     AND NEW.raw_app_meta_data->>'provider' <> 'saml'
  THEN RAISE EXCEPTION '% may not sign up', NEW.email; ELSE RETURN NEW; END IF;
END;
