
declare
  new_team uuid;
  seen timestamptz;
begin
  insert into public.teams (name, created_by)
  select coalesce(new.raw_user_meta_data ->> 'team', 'Personal'), new.id
  returning id into strict new_team;
  update public.invitations i
     set accepted_at = now(), note = 'put into team'
    from public.teams t
   where i.email = new.email and t.id = new_team
  returning i.accepted_at into seen;
  delete from public.waiting where email = new.email returning now() into seen;
  return new;
end;
