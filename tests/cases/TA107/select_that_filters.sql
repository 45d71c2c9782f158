-- quiet
-- INSERT ... SELECT with a WHERE: rows whose value would be NULL are not made.
create table public.newsletter (email text primary key, name text not null);

create function public.subscribe() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.newsletter (email, name)
  select new.email, new.raw_user_meta_data ->> 'full_name'
  where new.email is not null and new.raw_user_meta_data ->> 'full_name' is not null
  on conflict do nothing;
  return new;
end;
$$;

create trigger subscribe after insert on auth.users
  for each row execute function public.subscribe();
