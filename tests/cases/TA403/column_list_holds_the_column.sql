-- The trigger lists the very column that its function sets.
create function public.mark_updated() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users -- TA403
  set raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || '{"synced": true}'
  where id = new.id;
  return new;
end;
$$;

create trigger mark_updated after update of raw_user_meta_data on auth.users
  for each row execute function public.mark_updated();
