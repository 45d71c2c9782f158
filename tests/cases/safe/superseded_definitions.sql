-- quiet
-- Safe: only the last definition counts.
create table public.profiles (id uuid primary key references auth.users);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  insert into profile (id, nick) values (new.id, new.nick);
  delete from sessions;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

alter table public.profiles drop constraint profiles_id_fkey,
  add constraint profiles_id_fkey foreign key (id) references auth.users on delete cascade;

create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
