-- quiet
-- The audit trigger stands on a table that no flow of Auth reaches.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.articles (id bigint generated always as identity primary key, title text);
create table public.audit_log (id bigint generated always as identity primary key, action text);

create function public.audit_article() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.audit_log (action) values (tg_op || ' article');
  return null;
end;
$$;
create trigger audit_article after insert or update on public.articles
  for each row execute function public.audit_article();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
