create function public.cancel_order(order_id bigint) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update public.orders set state = 'cancelled'
  where id = order_id and buyer_id = (select auth.uid());
  if not found then
    raise exception 'there is no such order' using errcode = 'P0002';
  end if;
end;
$$;
revoke execute on function public.cancel_order(bigint) from public, anon;
