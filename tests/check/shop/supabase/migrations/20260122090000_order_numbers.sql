create sequence public.order_numbers start 1000;
alter table public.orders add column number bigint not null default nextval('public.order_numbers');
create unique index orders_number on public.orders (number);
