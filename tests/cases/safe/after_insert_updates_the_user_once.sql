-- quiet
-- Safe: no trigger fires on UPDATE, so nothing goes round.
create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users
  set updated_at = now(), phone_change = coalesce(phone_change, '')
  where id = new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
