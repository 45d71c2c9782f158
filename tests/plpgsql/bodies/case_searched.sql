
DECLARE
  plan text;
BEGIN
  CASE
    WHEN NEW.raw_app_meta_data ->> 'provider' = 'google' THEN
      plan := 'oauth';
    WHEN NEW.email LIKE '%@example.com' OR NEW.email LIKE '%@example.org' THEN
      plan := CASE WHEN NEW.phone IS NULL THEN 'staff' ELSE 'staff-phone' END;
    ELSE
      plan := 'free';
  END CASE;
  INSERT INTO public.subscriptions (user_id, plan) VALUES (NEW.id, plan) ON CONFLICT (user_id) DO UPDATE SET plan = excluded.plan;
  RETURN NEW;
END;
