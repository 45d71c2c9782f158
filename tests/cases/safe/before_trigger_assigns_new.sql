-- quiet
-- Safe: it edits the row in place, no second UPDATE.
create function public.normalise_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.email := lower(new.email);
  new.updated_at := now();
  new.raw_app_meta_data := coalesce(new.raw_app_meta_data, '{}') || '{"seen": true}';
  return new;
end;
$$;

create trigger normalise_user before insert or update on auth.users
  for each row execute function public.normalise_user();
