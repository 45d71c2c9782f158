alter table public.orders add column updated_at timestamptz not null default now();
create function public.touch_updated_at() returns trigger
language plpgsql
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
create trigger orders_touch before update on public.orders
  for each row execute function public.touch_updated_at();
