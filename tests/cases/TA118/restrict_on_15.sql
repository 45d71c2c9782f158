-- on PostgreSQL 15
-- The SQLSTATE of RESTRICT was that of NO ACTION before PostgreSQL 18.
create table public.accounts (user_id uuid primary key references auth.users on delete restrict); -- TA118

create function public.open_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (user_id) values (new.id);
  return new;
end;
$$;

create trigger open_account after insert on auth.users
  for each row execute function public.open_account();
