-- The helper that the trigger calls has an unclosed bracket.
set check_function_bodies = off;

create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.preferences (user_id uuid primary key references auth.users on delete cascade, language text);

create function public.add_preferences(p_user uuid, p_language text) returns void
language sql set search_path = '' as $$
  insert into public.preferences (user_id, language)
  values (p_user, lower(p_language); -- TA001
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  perform public.add_preferences(new.id, coalesce(new.raw_user_meta_data ->> 'language', 'en'));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
