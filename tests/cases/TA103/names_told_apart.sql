-- quiet
-- Variables named like columns, where the text says which is meant; a column list and SET name columns only.
create table public.invitations (id uuid primary key default gen_random_uuid(), email text not null, team_id uuid);
create table public.members (user_id uuid primary key references auth.users on delete cascade, team_id uuid, email text);

create function public.accept_invitation() returns trigger
language plpgsql security definer set search_path = '' as $$
<<accept>>
declare
  email text := lower(new.email);
  team_id uuid;
begin
  select i.team_id
  into accept.team_id
  from public.invitations as i
  where lower(i.email) = accept.email
  order by i.id
  limit 1;

  insert into public.members (user_id, team_id, email)
  values (new.id, team_id, email)
  on conflict (user_id) do update set team_id = excluded.team_id, email = excluded.email;
  return new;
end;
$$;

create trigger accept_invitation after insert on auth.users
  for each row execute function public.accept_invitation();
