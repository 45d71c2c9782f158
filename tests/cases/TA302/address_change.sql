-- No sign-up runs this: an address is changed, and the profile keeps the old one.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.sync_email() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set email = new.email where id = new.id;
  return null;
exception when others then -- TA302
  return null;
end;
$$;

create trigger sync_email after update of email on auth.users
  for each row execute function public.sync_email();
