-- quiet
-- Safe: public.users is another table than auth.users.
create table public.users (id uuid primary key, email text);

create function public.on_public_user() returns trigger
language plpgsql  as $$
begin
  delete from public.users;
  insert into missing_table (id) values (new.id);
  return new;
end;
$$;
create trigger on_public_user after delete on public.users
  for each row execute function public.on_public_user();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.users (id, email) values (new.id, new.email);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
