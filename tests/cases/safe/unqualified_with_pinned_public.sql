-- quiet
-- Safe: search_path = public is the function's own.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create type public.mood as enum ('good', 'bad');

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public as $$
declare
  v_mood mood := 'good'::mood;
begin
  insert into profiles (id, email) values (new.id, new.email);
  update profiles set email = lower(email) where id = new.id;
  v_mood := 'bad';
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
