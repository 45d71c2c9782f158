-- quiet
-- The trigger fires for the address only, the function sets something else.
create function public.stamp_address() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users
  set raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || '{"address_changed": true}'
  where id = new.id;
  return new;
end;
$$;

create trigger stamp_address after update of email on auth.users
  for each row execute function public.stamp_address();
