-- quiet
-- Primary key, composite key in another order, a bare unique index, a constraint's name, an expression, a partial index.
create table public.profiles (id uuid constraint profiles_are_unique primary key references auth.users on delete cascade, email text);
create table public.addresses (email text);
create unique index addresses_email on public.addresses (lower(email));
create table public.memberships (
  team_id uuid not null default gen_random_uuid(),
  user_id uuid not null references auth.users on delete cascade,
  left_at timestamptz,
  unique (team_id, user_id)
);
create unique index one_home on public.memberships (user_id) where left_at is null;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email) on conflict (id) do nothing;
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict on constraint profiles_are_unique do update set email = excluded.email;
  insert into public.addresses as a (email) values (new.email)
  on conflict (lower(email)) do nothing;
  insert into public.memberships (user_id) values (new.id)
  on conflict (user_id, team_id) do nothing;
  insert into public.memberships (user_id) values (new.id)
  on conflict (user_id) where left_at is null do nothing;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
