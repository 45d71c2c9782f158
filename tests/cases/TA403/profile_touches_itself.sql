-- uncertain: whether the first UPDATE finds a row counts as a matter of data
-- Not auth.users: the profile's UPDATE trigger updates the profile, and the sign-up updates it first.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text,
  modified_at timestamptz
);

create function public.touch_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set modified_at = clock_timestamp() where id = new.id; -- TA403
  return new;
end;
$$;

create trigger touch_profile after update on public.profiles
  for each row execute function public.touch_profile();

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  update public.profiles set email = new.email where id = new.id;
  return new;
end;
$$;

create trigger handle_user after insert on auth.users
  for each row execute function public.handle_user();
