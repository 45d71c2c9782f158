set check_function_bodies = off;
create table public.audit_log (id bigint generated always as identity, user_id uuid);

create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- trigger-audit: ignore TA301 whether it has its use is not known
  insert into public.audit_log (user_id) values (new.id)
  return new; -- TA001
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
