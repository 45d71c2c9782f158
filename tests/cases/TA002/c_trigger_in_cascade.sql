-- A trigger of the server's own, written in C, fills the search column of the profile.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text not null default '',
  search tsvector
);

create trigger profiles_search before insert or update on public.profiles -- TA002
  for each row execute function tsvector_update_trigger(search, 'pg_catalog.english', full_name);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'full_name', ''));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
