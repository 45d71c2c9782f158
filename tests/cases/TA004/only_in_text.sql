create table public.audit_log (id bigint generated always as identity, user_id uuid, note text);

create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  raise debug '
    -- trigger-audit: ignore TA301 no comment
  ';
  insert into public.audit_log (user_id, note) -- TA301
  values (new.id, $q$
    -- trigger-audit: ignore TA301 no comment
    $q$);
  return new;
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
