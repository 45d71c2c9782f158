-- quiet
-- Safe: the second firing finds OLD and NEW equal: in the trigger's WHEN and in the body's IF.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create function public.note_address() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set updated_at = now() where id = new.id;
  return new;
end;
$$;

create function public.note_phone() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.phone is distinct from new.phone then
    update auth.users set updated_at = now() where id = new.id;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

create trigger note_address after update on auth.users
  for each row
  when (old.email is distinct from new.email)
  execute function public.note_address();

create trigger note_phone after update on auth.users
  for each row execute function public.note_phone();
