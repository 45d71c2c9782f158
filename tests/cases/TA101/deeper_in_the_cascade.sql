-- The handler is sound and pinned to an empty path; the trigger on profiles inherits that path and breaks.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text,
  number bigint
);

create function public.number_profile() returns trigger
language plpgsql as $$
begin
  select count(*) + 1
  into new.number
  from profiles; -- TA101
  return new;
end;
$$;

create trigger number_profile before insert on public.profiles
  for each row execute function public.number_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data ->> 'full_name');
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
