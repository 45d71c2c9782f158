create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  team_id uuid not null references public.teams (id) on delete cascade,
  email text not null,
  invited_by uuid references auth.users (id) on delete set null,
  expires_at timestamptz not null default now() + interval '14 days',
  unique (team_id, email)
);
alter table public.invitations enable row level security;
create policy "members invite" on public.invitations for insert to authenticated with check (public.is_member(team_id));
