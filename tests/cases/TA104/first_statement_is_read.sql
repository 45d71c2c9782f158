-- The function runs as supabase_auth_admin; already the SELECT is refused, one finding for each statement refused.
create table public.settings (key text primary key, value text);
create table public.profiles (id uuid primary key references auth.users on delete cascade, theme text);

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
declare
  v_theme text;
begin
  select s.value into v_theme from public.settings as s where s.key = 'theme'; -- TA104
  insert into public.profiles (id, theme) values (new.id, v_theme); -- TA104
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
