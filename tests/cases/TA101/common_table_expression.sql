-- The write sits in a WITH, the table has no schema, the function no path of its own.
create table public.organizations (id uuid primary key default gen_random_uuid(), name text not null);
create table public.memberships (
  organization_id uuid not null references public.organizations on delete cascade,
  user_id uuid not null references auth.users on delete cascade,
  primary key (organization_id, user_id)
);

create function public.create_personal_organization() returns trigger
language plpgsql security definer as $$
begin
  with created as (
    insert into public.organizations (name)
    values (coalesce(new.raw_user_meta_data ->> 'company', 'Personal'))
    returning id
  )
  insert into memberships (organization_id, user_id) -- TA101
  select created.id, new.id
  from created;
  return null;
end;
$$;

create trigger create_personal_organization after insert on auth.users
  for each row execute function public.create_personal_organization();
