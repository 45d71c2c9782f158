-- A boolean cast and a uuid cast; both go straight into what policies read.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  is_admin boolean not null default false,
  tenant_id uuid,
  full_name text
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, is_admin, tenant_id, full_name)
  values (
    new.id,
    coalesce((new.raw_user_meta_data ->> 'is_admin')::boolean, false), -- TA503
    nullif(new.raw_user_meta_data ->> 'tenant_id', '')::uuid, -- TA503
    new.raw_user_meta_data ->> 'full_name'
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
