create table public.memberships (
  team_id uuid not null,
  user_id uuid not null references auth.users on delete cascade,
  primary key (team_id, user_id)
);

create function public.join_team() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  with teams (id) as (
    values ('00000000-0000-4000-8000-000000000001'::uuid)
  )
  insert into public.memberships (team_id, user_id)
  select teams.id, new.id from teams
  on conflict (user_id) do nothing; -- TA109
  return new;
end;
$$;

create trigger join_team after insert on auth.users
  for each row execute function public.join_team();
