create materialized view public.monthly_sales as
  select team_id, date_trunc('month', created_at) as month, sum(total_cents) as cents
  from public.orders where state = 'paid' group by 1, 2;
create unique index monthly_sales_key on public.monthly_sales (team_id, month);
