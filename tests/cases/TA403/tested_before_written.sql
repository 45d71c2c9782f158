-- quiet
-- IF OLD IS DISTINCT FROM NEW: the second firing finds nothing changed.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text,
  email_key text,
  modified_at timestamptz
);

create function public.key_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.email is distinct from old.email then
    update public.profiles set email_key = lower(new.email), modified_at = now() where id = new.id;
  end if;
  return new;
end;
$$;

create trigger key_profile after update on public.profiles
  for each row execute function public.key_profile();

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id) on conflict (id) do nothing;
  update public.profiles set email = new.email where id = new.id;
  return new;
end;
$$;

create trigger handle_user after insert or update of email on auth.users
  for each row execute function public.handle_user();
