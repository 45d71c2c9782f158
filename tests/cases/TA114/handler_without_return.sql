-- The block returns, its handler does not: the first duplicate ends in 2F005.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.first_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create function public.second_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
exception when unique_violation then
  raise notice 'profile % exists', new.id;
end; -- TA114
$$;

create trigger a_first_profile after insert on auth.users
  for each row execute function public.first_profile();
create trigger b_second_profile after insert on auth.users
  for each row execute function public.second_profile();
