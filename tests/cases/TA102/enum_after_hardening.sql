-- Somebody emptied the path as the advisor says, and forgot the type.
create type public.account_kind as enum ('personal', 'business');
create table public.accounts (
  id uuid primary key references auth.users on delete cascade,
  kind public.account_kind not null default 'personal'
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (id, kind)
  values (
    new.id,
    case
      when new.raw_user_meta_data ->> 'company' is not null then 'business'
      else 'personal'
    end::account_kind -- TA102
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
