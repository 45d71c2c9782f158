-- The type is looked up when PL/pgSQL compiles the function: the handler is not entered yet, it hides nothing.
create type public.account_kind as enum ('personal', 'business');
create table public.accounts (id uuid primary key references auth.users on delete cascade, kind text);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
declare
  v_kind account_kind := 'personal'; -- TA102
begin
  insert into public.accounts (id, kind) values (new.id, v_kind::text);
  return new;
exception when others then
  raise warning 'account not created: %', sqlerrm;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
