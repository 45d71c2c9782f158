-- Renamed in the dashboard, and not in the function.
create or replace function public.make_preferences() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.user_preferences (user_id) values (new.id) on conflict do nothing; -- TA101
  return null;
end;
$$;
