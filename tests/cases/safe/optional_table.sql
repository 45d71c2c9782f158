-- quiet
-- Safe: the statements run only where the table exists.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  if to_regclass('public.billing_customers') is not null then
    execute 'insert into public.billing_customers (user_id) values ($1)' using new.id;
  end if;
  if exists (
    select from information_schema.tables where table_schema = 'public' and table_name = 'referrals'
  ) then
    insert into public.referrals (user_id) values (new.id);
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
