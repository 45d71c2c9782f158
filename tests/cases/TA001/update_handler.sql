-- Only the UPDATE trigger is broken: the row is made, the very next statement of the sign-up fails.
set check_function_bodies = off;

create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.sync_email() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles
  set email = new.email,
  where id = new.id; -- TA001
  return new;
end;
$$;

create trigger sync_email after update on auth.users
  for each row execute function public.sync_email();
