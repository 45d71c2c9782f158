-- The WHEN clause is true again after the update.
create function public.stamp_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.email is not null then
    update auth.users set updated_at = clock_timestamp() where id = new.id; -- TA403
  end if;
  return null;
end;
$$;

create trigger stamp_user after update on auth.users
  for each row
  when (new.email is not null)
  execute function public.stamp_user();
