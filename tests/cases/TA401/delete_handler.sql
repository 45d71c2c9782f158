-- Runs when a user is deleted, and then for everybody.
create table public.memberships (user_id uuid primary key, team text);

create function public.handle_user_gone() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.memberships; -- TA401
  return old;
end;
$$;

create trigger on_auth_user_deleted after delete on auth.users
  for each row execute function public.handle_user_gone();
