-- quiet
-- A view that can be written, and a partitioned table.
create table public.people (id uuid primary key references auth.users on delete cascade, email text, hidden boolean not null default false);
create view public.visible_people as select id, email, hidden from public.people where not hidden;
create table public.visits (at timestamptz not null, user_id uuid not null) partition by range (at);
create table public.visits_default partition of public.visits default;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.visible_people (id, email) values (new.id, new.email);
  insert into public.visits (at, user_id) values (new.created_at, new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
