create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  email text not null,
  team_id uuid
);
create table public.members (user_id uuid primary key references auth.users on delete cascade, team_id uuid);

create function public.accept_invitation() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  email text := lower(new.email);
  v_team uuid;
begin
  select i.team_id
  into v_team
  from public.invitations as i
  where lower(email) = new.email -- TA103
  limit 1;

  insert into public.members (user_id, team_id) values (new.id, v_team);
  return new;
end;
$$;

create trigger accept_invitation after insert on auth.users
  for each row execute function public.accept_invitation();
