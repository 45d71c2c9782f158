-- quiet
-- Safe: pg_trigger_depth() stops the ping-pong of AFTER triggers.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if pg_trigger_depth() > 1 then
    return new;
  end if;
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do update set email = excluded.email;
  return new;
end;
$$;

create function public.touch_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set updated_at = now() where id = new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert or update on auth.users
  for each row execute function public.handle_new_user();

create trigger touch_user after update on public.profiles
  for each row when (pg_trigger_depth() < 2) execute function public.touch_user();
