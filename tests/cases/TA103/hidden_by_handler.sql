-- hidden: the row type has no such field, and the handler says nothing
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, new.user_metadata ->> 'full_name'); -- TA103
  return new;
exception when others then
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
