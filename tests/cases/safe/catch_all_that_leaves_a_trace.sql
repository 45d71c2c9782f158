-- quiet
-- Safe: deliberate; the failure is logged in a table and as a warning, and the app makes the row on first use.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create table public.failed_profiles (user_id uuid, reason text, at timestamptz not null default now());

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
exception when others then
  insert into public.failed_profiles (user_id, reason) values (new.id, sqlerrm);
  raise warning 'no profile for %: % (%)', new.id, sqlerrm, sqlstate;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
