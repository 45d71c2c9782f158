create table public.products (
  id bigint generated always as identity primary key,
  team_id uuid not null references public.teams (id) on delete cascade,
  title text not null check (length(title) between 1 and 200),
  price_cents integer not null check (price_cents >= 0),
  search tsvector generated always as (to_tsvector('english', title)) stored
);
create index products_search on public.products using gin (search);
alter table public.products enable row level security;
create policy "members see products" on public.products for select to authenticated using (public.is_member(team_id));
