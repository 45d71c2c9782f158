alter type public.order_state add value if not exists 'cancelled';
