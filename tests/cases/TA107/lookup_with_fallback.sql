-- quiet
-- NOT FOUND is handled; the other look-ups cannot be empty.
create table public.organizations (id uuid primary key default gen_random_uuid(), domain text unique, name text);
create table public.members (
  user_id uuid primary key references auth.users on delete cascade,
  home_id uuid not null,
  number bigint not null
);

create function public.join_organization() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_home uuid;
  v_number bigint;
begin
  select o.id into v_home from public.organizations as o where o.domain = split_part(new.email, '@', 2);
  if not found then
    insert into public.organizations (name) values ('Personal') returning id into v_home;
  end if;
  select coalesce(max(m.number), 0) + 1 into v_number from public.members as m;

  insert into public.members (user_id, home_id, number) values (new.id, v_home, v_number);
  return new;
end;
$$;

create trigger join_organization after insert on auth.users
  for each row execute function public.join_organization();
