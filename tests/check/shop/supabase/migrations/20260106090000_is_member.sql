create function public.is_member(team uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.memberships m where m.team_id = team and m.user_id = (select auth.uid())
  );
$$;
create policy "members see their team" on public.teams for select using (public.is_member(id));
create policy "members see members" on public.memberships for select using (public.is_member(team_id));
