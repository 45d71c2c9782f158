create table public.preferences (
  user_id uuid primary key references public.profiles (id) on delete cascade,
  newsletter boolean not null default false,
  locale text not null default 'en'
);
alter table public.preferences enable row level security;
create policy "own preferences" on public.preferences for all using ((select auth.uid()) = user_id);
