create function public.order_total() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.orders o
  set total_cents = (
    select coalesce(sum(l.quantity * p.price_cents), 0)
    from public.order_lines l join public.products p on p.id = l.product_id
    where l.order_id = o.id
  )
  where o.id = coalesce(new.order_id, old.order_id);
  return null;
end;
$$;
create trigger order_lines_total
  after insert or update or delete on public.order_lines
  for each row execute function public.order_total();
