-- A small recipe-sharing app: every user has a profile and belongs to a kitchen.
create type public.member_role as enum ('cook', 'editor', 'admin');

create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text not null,
  display_name text,
  avatar_url text,
  created_at timestamptz not null default now()
);

create table public.kitchens (
  id bigint generated always as identity primary key,
  name text not null
);

create table public.memberships (
  id bigint generated always as identity primary key,
  user_id uuid not null references auth.users,
  kitchen_id bigint references public.kitchens on delete cascade,
  role public.member_role not null default 'cook'
);

create table public.invite_codes (
  user_id uuid primary key references auth.users on delete cascade,
  code text not null unique
);

alter table public.profiles enable row level security;
alter table public.memberships enable row level security;
alter table public.invite_codes enable row level security;

create policy "own profile" on public.profiles for select using (auth.uid() = id);
create policy "own memberships" on public.memberships for select using (auth.uid() = user_id);
