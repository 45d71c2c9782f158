-- quiet
-- Default, identity, serial, generated, default of a domain, and a dropped column.
create domain public.locale as text not null default 'en';
create table public.profiles (
  number bigint generated always as identity primary key,
  serial_number bigserial not null,
  id uuid not null unique references auth.users on delete cascade,
  gone text not null,
  locale public.locale,
  email text,
  email_lower text generated always as (lower(email)) stored,
  created_at timestamptz not null default now(),
  score numeric not null default 0
);
alter table public.profiles drop column gone;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email, score) values (new.id, new.email, default);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
