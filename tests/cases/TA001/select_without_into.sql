-- A SELECT whose result goes nowhere: CREATE FUNCTION takes it, the first run does not.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.settings (user_id uuid primary key references auth.users on delete cascade, theme text);

create function public.create_settings(p_user uuid) returns void
language sql set search_path = '' as $$
  insert into public.settings (user_id, theme) values (p_user, 'light') on conflict do nothing;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  if new.email is not null then
    select public.create_settings(new.id); -- TA001
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
