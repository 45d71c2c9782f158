create table public.audit_log (
  id bigint generated always as identity primary key,
  actor uuid,
  action text not null,
  happened_at timestamptz not null default now()
);
alter table public.audit_log enable row level security;
revoke all on public.audit_log from anon, authenticated;
