-- quiet
-- AFTER trigger with a WHERE that the first update makes false: the second one touches no row, and fires nothing.
create function public.default_language() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users
  set raw_user_meta_data = raw_user_meta_data || '{"language": "en"}'
  where id = new.id
    and not raw_user_meta_data ? 'language';
  return null;
end;
$$;

create trigger default_language after update on auth.users
  for each row execute function public.default_language();
