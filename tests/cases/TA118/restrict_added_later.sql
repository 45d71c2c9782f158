create table public.accounts (user_id uuid primary key, email text);
alter table public.accounts
  add constraint accounts_user_fkey foreign key (user_id) -- TA118
  references auth.users (id) on update cascade on delete restrict;

create function public.open_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (user_id, email) values (new.id, new.email);
  return new;
end;
$$;

create trigger open_account after insert on auth.users
  for each row execute function public.open_account();
