-- NO ACTION deferred: the deletion itself passes, the COMMIT fails.
create table public.wallets (
  owner_id uuid primary key references auth.users deferrable initially deferred -- TA118
);

create function public.open_wallet() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.wallets (owner_id) values (new.id);
  return new;
end;
$$;

create trigger open_wallet after insert on auth.users
  for each row execute function public.open_wallet();
