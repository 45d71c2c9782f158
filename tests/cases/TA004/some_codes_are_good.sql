create table public.audit_log (id bigint generated always as identity, user_id uuid);

create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  /* trigger-audit: ignore TA301, TA401 the log must be whole */ -- TA004
  insert into public.audit_log (user_id) values (new.id);
  /* trigger-audit: ignore TA301, TA999 the log must be whole */ -- TA004
  insert into public.audit_log (user_id) values (new.id);
  insert into public.audit_log (user_id) values (new.id); /* trigger-audit: ignore TA301 */ -- TA004, TA301
  /* trigger-audit: ignore missing-exception-handler the code is wanted, not the name */ -- TA004
  insert into public.audit_log (user_id) values (new.id); -- TA301
  return new; /* trigger-audit: disable TA301 other tools call it so */ -- TA004
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
