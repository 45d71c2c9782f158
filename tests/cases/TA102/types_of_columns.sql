-- quiet
-- %TYPE, %ROWTYPE, arrays, domains, composite types: all with their schema.
create type public.account_kind as enum ('personal', 'business');
create domain public.short_text as text check (length(value) < 200);
create type public.full_address as (street text, city text);
create table public.accounts (
  id uuid primary key references auth.users on delete cascade,
  kind public.account_kind not null default 'personal',
  motto public.short_text,
  address public.full_address,
  tags text[]
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_kind public.accounts.kind%type := 'personal';
  v_account public.accounts%rowtype;
  v_address public.full_address;
  v_kinds public.account_kind[] := array['business'::public.account_kind];
  v_email auth.users.email%type := new.email;
begin
  v_address.city := 'Berlin';
  v_account.id := new.id;
  v_account.kind := v_kind;
  if v_email is null or v_kind = any (v_kinds) then
    v_account.motto := 'none'::public.short_text;
  end if;
  v_account.address := v_address;
  v_account.tags := string_to_array(coalesce(v_email, ''), '@');
  insert into public.accounts values (v_account.*);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
