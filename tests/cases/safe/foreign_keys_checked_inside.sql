-- quiet
-- Safe: the triggers that enforce foreign keys are the server's own.
create table public.teams (id uuid primary key default gen_random_uuid(), owner_id uuid not null references auth.users on delete cascade);
create table public.members (team_id uuid references public.teams on delete cascade, user_id uuid references auth.users on delete cascade, primary key (team_id, user_id));

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_team uuid;
begin
  insert into public.teams (owner_id) values (new.id) returning id into v_team;
  insert into public.members (team_id, user_id) values (v_team, new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
