grant usage on schema public to anon, authenticated, service_role;
grant select on public.tags to anon, authenticated;
alter default privileges in schema public grant select on tables to authenticated;
