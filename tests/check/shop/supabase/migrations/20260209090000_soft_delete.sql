alter table public.products add column deleted_at timestamptz;
create index products_alive on public.products (team_id) where deleted_at is null;
