-- quiet
-- No path of its own, and no name that depends on one: pg_catalog, transition tables, WITH names, a temporary table.
create table public.profiles (id uuid primary key references auth.users on delete cascade, zone text);

create function public.handle_new_users() returns trigger
language plpgsql security definer as $$
begin
  with zones as (
    select z.name from pg_timezone_names as z where z.name = 'Europe/Berlin'
  )
  insert into public.profiles (id, zone)
  select added.id, (select zones.name from zones limit 1)
  from added;
  return null;
end;
$$;

create trigger handle_new_users after insert on auth.users
  referencing new table as added
  for each statement execute function public.handle_new_users();
