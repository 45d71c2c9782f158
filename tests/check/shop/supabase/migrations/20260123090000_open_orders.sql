create view public.open_orders with (security_invoker = true) as
  select id, team_id, number, total_cents from public.orders where state = 'draft';
