-- quiet
-- public.users is not auth.users.
create table public.users (id uuid primary key default gen_random_uuid(), name text);
create table public.invoices (id bigint generated always as identity primary key, user_id uuid not null references public.users);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_user uuid;
begin
  insert into public.users (name) values (new.email) returning id into v_user;
  insert into public.invoices (user_id) values (v_user);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
