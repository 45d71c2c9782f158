-- The role goes through a variable into an authorisation table.
create table public.user_roles (
  user_id uuid not null references auth.users on delete cascade,
  role text not null,
  primary key (user_id, role)
);

create function public.assign_role() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_role text := lower(coalesce(new.raw_user_meta_data ->> 'user_role', 'member'));
begin
  insert into public.user_roles (user_id, role)
  values (new.id, v_role) -- TA503
  on conflict do nothing;
  return new;
end;
$$;

create trigger assign_role after insert on auth.users
  for each row execute function public.assign_role();
