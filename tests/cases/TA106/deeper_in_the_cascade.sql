-- The profile's trigger makes a row with a missing column.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.subscriptions (
  id uuid primary key default gen_random_uuid(),
  profile_id uuid not null references public.profiles on delete cascade,
  starts_on date not null,
  label text not null default 'free'
);

create function public.start_subscription() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.subscriptions (profile_id, label) values (new.id, 'free'); -- TA106
  return new;
end;
$$;

create trigger start_subscription after insert on public.profiles
  for each row execute function public.start_subscription();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
