-- search_path = public does not hold the schema of extensions.
create table public.workspaces (id uuid primary key, owner_id uuid references auth.users on delete cascade, name text);

create function public.create_workspace() returns trigger
language plpgsql security definer set search_path = public as $$
declare
  v_id uuid := uuid_generate_v4(); -- TA102
begin
  insert into workspaces (id, owner_id, name) values (v_id, new.id, 'My workspace');
  return new;
end;
$$;

create trigger create_workspace after insert on auth.users
  for each row execute function public.create_workspace();
