-- quiet
-- The text is a constant, or made from constants: it can be read.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create table public.settings (user_id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  c_insert constant text := 'insert into public.profiles (id, email) '
    || 'values ($1, $2)';
begin
  execute c_insert using new.id, new.email;
  execute format('insert into public.%I (%I) values ($1)', 'settings', 'user_id') using new.id;
  execute 'update public.profiles set email = lower(email) where id = $1' using new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
