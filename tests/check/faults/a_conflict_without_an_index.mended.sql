create or replace function public.join_team() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.invitations (team_id, email)
  select t.id, new.email from public.teams t where t.owner_id = new.id and new.email is not null
  on conflict (team_id, email) do nothing;
  return null;
end;
$$;
