-- A BEFORE trigger sets a field that auth.users never had.
create function public.mark_source() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.user_metadata := coalesce(new.raw_user_meta_data, '{}'::jsonb) || '{"source": "web"}'; -- TA103
  return new;
end;
$$;

create trigger mark_source before insert on auth.users
  for each row execute function public.mark_source();
