-- quiet
-- Writes go down, never back up.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create table public.contacts (profile_id uuid primary key references public.profiles on delete cascade, email text);

create function public.sync_contact() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.contacts (profile_id, email) values (new.id, new.email)
  on conflict (profile_id) do update set email = excluded.email;
  return new;
end;
$$;
create trigger sync_contact after insert or update on public.profiles
  for each row execute function public.sync_contact();

create function public.sync_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do update set email = excluded.email;
  return new;
end;
$$;
create trigger sync_profile after insert or update on auth.users
  for each row execute function public.sync_profile();
