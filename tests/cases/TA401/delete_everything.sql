-- Meant for the new user's rows, the condition was forgotten; a second one is always true.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.drafts (id bigint generated always as identity primary key, owner_id uuid);
create table public.codes (code text primary key, expires_at timestamptz);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  if new.email_confirmed_at is null then
    delete from public.drafts; -- TA401
  end if;
  delete from public.codes where true; -- TA401
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
