-- quiet
-- Only the service role writes raw_app_meta_data.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  role text not null default 'member',
  tenant_id uuid,
  is_admin boolean not null default false
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, role, tenant_id, is_admin)
  values (
    new.id,
    coalesce(new.raw_app_meta_data ->> 'role', 'member'),
    (new.raw_app_meta_data ->> 'tenant_id')::uuid,
    coalesce((new.raw_app_meta_data -> 'claims' ->> 'admin')::boolean, false)
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
