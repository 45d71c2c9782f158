-- uncertain: whether the row is there depends on the project's data
-- The domain belongs to no organisation: the sub-select gives NULL, and so does the variable.
create table public.organizations (id uuid primary key default gen_random_uuid(), domain text unique);
create table public.members (
  user_id uuid primary key references auth.users on delete cascade,
  home_id uuid not null
);

create function public.join_organization() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_home uuid;
begin
  select o.id
  into v_home
  from public.organizations as o
  where o.domain = lower(split_part(new.email, '@', 2));

  insert into public.members (user_id, home_id)
  values (new.id, v_home); -- TA107
  return new;
end;
$$;

create trigger join_organization after insert on auth.users
  for each row execute function public.join_organization();
