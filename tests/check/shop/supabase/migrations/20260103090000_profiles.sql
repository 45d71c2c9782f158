create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  email text,
  display_name text not null default '',
  avatar_url text,
  created_at timestamptz not null default now()
);
alter table public.profiles enable row level security;
create policy "own profile" on public.profiles for select using ((select auth.uid()) = id);
create policy "change own profile" on public.profiles for update using ((select auth.uid()) = id);
