create table public.orders (
  id bigint generated always as identity primary key,
  team_id uuid not null references public.teams (id) on delete cascade,
  buyer_id uuid references auth.users (id) on delete set null,
  state public.order_state not null default 'draft',
  total_cents integer not null default 0,
  created_at timestamptz not null default now()
);
create table public.order_lines (
  order_id bigint not null references public.orders (id) on delete cascade,
  product_id bigint not null references public.products (id),
  quantity integer not null check (quantity > 0),
  primary key (order_id, product_id)
);
alter table public.orders enable row level security;
alter table public.order_lines enable row level security;
