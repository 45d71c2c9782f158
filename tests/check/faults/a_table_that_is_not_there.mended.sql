create or replace function public.make_preferences() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.preferences (user_id) values (new.id) on conflict do nothing;
  return null;
end;
$$;
