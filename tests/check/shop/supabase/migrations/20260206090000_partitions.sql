create table public.events (
  id bigint generated always as identity,
  happened_at timestamptz not null default now(),
  name text not null,
  primary key (id, happened_at)
) partition by range (happened_at);
create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');
create table public.events_rest partition of public.events default;
alter table public.events enable row level security;
