create function public.log_sign_up() returns trigger
language plpgsql security definer set search_path = 'auth' as $$
begin
  -- trigger-audit: ignore TA301 the log must be whole: true again as soon as the table is found
  insert into audit_log (user_id) values (new.id); -- TA101
  return new;
end;
$$;

create trigger log_sign_up after insert on auth.users
  for each row execute function public.log_sign_up();
