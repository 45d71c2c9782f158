create table public.audit_log (id bigint generated always as identity, user_id uuid);

create function public.log_it(who uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.audit_log (user_id) values (who); -- TA301
end;
$$;

create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
/* trigger-audit: ignore TA301 the helper is not meant by that */ -- TA004
begin
  perform public.log_it(new.id);
  return new;
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
