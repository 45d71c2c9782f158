-- quiet
-- The trigger fires only for rows that have an address, and only once it is confirmed.
create table public.customers (
  user_id uuid primary key references auth.users on delete cascade,
  email text not null,
  confirmed_at timestamptz not null
);

create function public.add_customer() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.customers (user_id, email, confirmed_at)
  values (new.id, lower(new.email), new.email_confirmed_at)
  on conflict (user_id) do update set email = lower(new.email);
  return new;
end;
$$;

create trigger add_customer after update of email_confirmed_at on auth.users
  for each row
  when (new.email is not null and old.email_confirmed_at is null and new.email_confirmed_at is not null)
  execute function public.add_customer();
