-- An expression of type text has no assignment cast to an enum; only a literal would fit.
create type public.interface_language as enum ('en', 'de', 'fr');
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  language public.interface_language not null default 'en'
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_language text := coalesce(new.raw_user_meta_data ->> 'locale', 'en');
begin
  if v_language not in ('en', 'de', 'fr') then
    v_language := 'en';
  end if;
  insert into public.profiles (id, language)
  values (new.id, v_language); -- TA103
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
