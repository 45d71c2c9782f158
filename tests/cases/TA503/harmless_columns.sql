-- quiet
-- User metadata in columns that grant nothing, and roles that come from somewhere else.
create table public.invitations (id uuid primary key default gen_random_uuid(), email text, role text not null);
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text,
  job_title text,
  company text,
  role text not null default 'member'
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_role text;
begin
  select i.role into v_role from public.invitations as i where i.email = new.email limit 1;
  insert into public.profiles (id, full_name, job_title, company, role)
  values (
    new.id,
    new.raw_user_meta_data ->> 'full_name',
    new.raw_user_meta_data ->> 'role',
    new.raw_user_meta_data ->> 'company',
    coalesce(v_role, 'member')
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
