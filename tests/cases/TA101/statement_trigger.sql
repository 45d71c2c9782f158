-- A statement-level trigger: the transition table is known, the log is not.
create function public.log_new_users() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.user_imports (user_id, seen_at) -- TA101
  select added.id, now()
  from added
  where added.email is not null;
  return null;
end;
$$;

create trigger log_new_users after insert on auth.users
  referencing new table as added
  for each statement execute function public.log_new_users();
