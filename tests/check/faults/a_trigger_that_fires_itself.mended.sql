drop trigger on_auth_user_stamped on auth.users;
create trigger on_auth_user_stamped after update on auth.users
  for each row when (pg_trigger_depth() = 0) execute function public.stamp_user();
