create table public.teams (
  id uuid primary key default extensions.uuid_generate_v4(),
  name text not null,
  owner_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now()
);
create table public.memberships (
  team_id uuid not null references public.teams (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role public.member_role not null default 'member',
  primary key (team_id, user_id)
);
alter table public.teams enable row level security;
alter table public.memberships enable row level security;
