-- quiet
-- An invoker BEFORE trigger that only edits the row needs no rights.
create function public.lower_email() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.email := lower(new.email);
  if new.raw_user_meta_data is null then
    new.raw_user_meta_data := '{}'::jsonb;
  end if;
  return new;
end;
$$;

create trigger lower_email before insert or update of email on auth.users
  for each row execute function public.lower_email();
