-- Two keys without an action: one to auth.users, one to a table that goes with the user.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.orders (
  id bigint generated always as identity primary key,
  user_id uuid not null references auth.users (id) -- TA118
);
create table public.badges (
  id bigint generated always as identity primary key,
  profile_id uuid not null references public.profiles (id) -- TA118
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  insert into public.orders (user_id) values (new.id);
  insert into public.badges (profile_id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
