-- Two optional writes below the profile, one of them in a WITH.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.daily_stats (day date primary key, sign_ups bigint not null default 0);
create table public.activity (id bigint generated always as identity primary key, what text);

create function public.count_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.daily_stats as s (day, sign_ups) values (current_date, 1) -- TA301
  on conflict (day) do update set sign_ups = s.sign_ups + 1;

  with noted as (
    insert into public.activity (what) values ('profile ' || new.id) -- TA301
    returning id
  )
  select noted.id into new.id from noted where false;
  return null;
end;
$$;

create trigger count_profile after insert on public.profiles
  for each row execute function public.count_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
