-- The WHERE stops nothing in a BEFORE trigger: the stored row is still the old one.
create function public.stamp() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set phone_change = 'x' where id = new.id and phone_change is distinct from 'x'; -- TA403
  return new;
end;
$$;

create trigger stamp before update on auth.users
  for each row execute function public.stamp();
