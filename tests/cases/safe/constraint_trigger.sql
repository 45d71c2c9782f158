-- quiet
-- Safe: a deferred constraint trigger whose function reads only what is there at commit.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create function public.profile_is_there() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from auth.users as u where u.id = new.id)
    and not exists (select from public.profiles as p where p.id = new.id)
  then
    raise exception 'user % has no profile', new.id;
  end if;
  return null;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
create constraint trigger profile_is_there after insert on auth.users
  deferrable initially deferred
  for each row execute function public.profile_is_there();
