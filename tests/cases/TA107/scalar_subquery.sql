-- uncertain: whether the row is there depends on the project's data
create table public.organizations (id uuid primary key default gen_random_uuid(), domain text unique);
create table public.members (
  user_id uuid primary key references auth.users on delete cascade,
  home_id uuid not null
);

create function public.join_organization() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.members (user_id, home_id)
  values (
    new.id,
    (select o.id from public.organizations as o where o.domain = split_part(new.email, '@', 2)) -- TA107
  );
  return new;
end;
$$;

create trigger join_organization after insert on auth.users
  for each row execute function public.join_organization();
