-- quiet
-- The C trigger stands on a table that no sign-up touches.
create table public.articles (id bigint generated always as identity primary key, title text, search tsvector);
create trigger articles_search before insert or update on public.articles
  for each row execute function tsvector_update_trigger(search, 'pg_catalog.english', title);

create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
