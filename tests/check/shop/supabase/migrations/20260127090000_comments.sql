create table public.comments (
  id bigint generated always as identity primary key,
  product_id bigint not null references public.products (id) on delete cascade,
  author_id uuid references public.profiles (id) on delete set null,
  body text not null,
  created_at timestamptz not null default now()
);
create index comments_body on public.comments using gin (body extensions.gin_trgm_ops);
alter table public.comments enable row level security;
