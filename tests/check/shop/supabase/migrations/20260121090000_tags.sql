create table public.tags (id bigint generated always as identity primary key, name text not null unique);
create table public.product_tags (
  product_id bigint references public.products (id) on delete cascade,
  tag_id bigint references public.tags (id) on delete cascade,
  primary key (product_id, tag_id)
);
alter table public.tags enable row level security;
alter table public.product_tags enable row level security;
create policy "tags are public" on public.tags for select using (true);
