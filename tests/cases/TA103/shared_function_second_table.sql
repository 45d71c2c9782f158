-- One function on two tables: auth.users has the field, the table in the cascade has not.
create table public.profiles (id uuid primary key references auth.users on delete cascade, contact text);
create table public.entries (at timestamptz not null default now(), source text, who text);

create function public.write_entry() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.entries (source, who)
  values (tg_table_name, new.email); -- TA103
  return new;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, contact) values (new.id, new.email);
  return new;
end;
$$;

create trigger a_handle_new_user after insert on auth.users
  for each row execute function public.handle_new_user();
create trigger b_write_entry after insert on auth.users
  for each row execute function public.write_entry();
create trigger write_entry after insert on public.profiles
  for each row execute function public.write_entry();
