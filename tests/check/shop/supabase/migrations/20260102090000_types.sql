create type public.member_role as enum ('member', 'editor', 'owner');
create type public.order_state as enum ('draft', 'paid', 'shipped');
