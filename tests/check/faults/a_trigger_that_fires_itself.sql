create function public.stamp_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update auth.users set updated_at = now() where id = new.id; -- TA403
  return null;
end;
$$;
create trigger on_auth_user_stamped after update on auth.users
  for each row execute function public.stamp_user();
