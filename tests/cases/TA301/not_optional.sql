-- quiet
-- Names that only look like it: a catalog, a login, statistics of nobody. What the sign-up is for may fail with it.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.catalogs (id bigint generated always as identity primary key, owner_id uuid references auth.users on delete cascade);
create table public.logins (user_id uuid primary key references auth.users on delete cascade);
create table public.eventual_owners (user_id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  insert into public.catalogs (owner_id) values (new.id);
  insert into public.logins (user_id) values (new.id);
  insert into public.eventual_owners (user_id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
