create table public.customers (user_id uuid primary key references auth.users on delete cascade);

create function public.add_row_for_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  execute format('insert into public.%I (user_id) values ($1)', tg_argv[0]) -- TA003
    using new.id;
  return new;
end;
$$;

create trigger add_customer after insert on auth.users
  for each row execute function public.add_row_for_user('customers');
