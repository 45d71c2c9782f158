-- quiet
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  avatar_url text,
  bio text not null default ''
);
create table public.counters (id boolean primary key default true, users integer not null default 0);
insert into public.counters default values;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles values (new.id, null, default)
  on conflict (id) do update set avatar_url = null, bio = default;
  insert into public.profiles (id, avatar_url) values (new.id, null::text) on conflict do nothing;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
