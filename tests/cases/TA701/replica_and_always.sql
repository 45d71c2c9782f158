create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.fill_profile() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.email := lower(new.email);
  return new;
end;
$$;

create trigger fill_on_replica before insert on public.profiles -- TA701
  for each row execute function public.fill_profile();
create trigger fill_always before insert on public.profiles -- TA701
  for each row execute function public.fill_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
alter table public.profiles enable replica trigger fill_on_replica;
alter table public.profiles enable always trigger fill_always;
