-- quiet
-- No action on the key, but a BEFORE DELETE trigger on auth.users removes the rows first.
create table public.profiles (id uuid primary key references auth.users, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create function public.handle_user_gone() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.profiles where id = old.id;
  return old;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
create trigger on_auth_user_deleted before delete on auth.users
  for each row execute function public.handle_user_gone();
