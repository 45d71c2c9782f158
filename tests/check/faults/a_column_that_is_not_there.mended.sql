alter table public.profiles add column mail_changed_at timestamptz;
