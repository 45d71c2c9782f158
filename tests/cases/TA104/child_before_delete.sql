-- quiet
-- A BEFORE trigger of the child fires inside the foreign key's own DELETE, which runs as the table's owner.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create table public.former_users (id uuid primary key, gone_at timestamptz not null default now());

create function public.remember_former_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.former_users (id) values (old.id) on conflict do nothing;
  return old;
end;
$$;

create trigger remember_former_user before delete on public.profiles
  for each row execute function public.remember_former_user();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
