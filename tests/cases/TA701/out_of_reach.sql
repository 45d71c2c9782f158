-- quiet
-- Disabled on a table that no sign-up touches; switched off and on again where it matters.
create table public.articles (id bigint generated always as identity primary key, title text);
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.lower_title() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.title := lower(new.title);
  return new;
end;
$$;
create trigger lower_title before insert on public.articles
  for each row execute function public.lower_title();
alter table public.articles disable trigger lower_title;

create function public.lower_email() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.email := lower(new.email);
  return new;
end;
$$;
create trigger lower_email before insert on public.profiles
  for each row execute function public.lower_email();
alter table public.profiles disable trigger user;
alter table public.profiles enable trigger lower_email;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
