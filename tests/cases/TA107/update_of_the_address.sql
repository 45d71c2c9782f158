-- Auth updates the row in every sign-up; there the trigger writes a phone that is not there.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  phone text not null default ''
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create function public.sync_phone() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles
  set phone = new.phone -- TA107
  where id = new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
create trigger on_auth_user_updated after update on auth.users
  for each row execute function public.sync_phone();
