create role reporting nologin;
grant usage on schema public to reporting;
grant select on public.monthly_sales to reporting;
