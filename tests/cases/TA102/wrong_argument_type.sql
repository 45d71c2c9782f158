-- The function exists; no version of it takes text.
create table public.workspaces (id uuid primary key default gen_random_uuid(), owner_id uuid references auth.users on delete cascade);

create function public.create_workspace(p_owner uuid, p_name text default 'Personal') returns uuid
language sql security definer set search_path = '' as $$
  insert into public.workspaces (owner_id) values (p_owner) returning id;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform public.create_workspace(new.email::text); -- TA102
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
