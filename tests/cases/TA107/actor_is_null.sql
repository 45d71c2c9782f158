-- Nobody is signed in while Auth writes: auth.uid() is NULL in the profile's own trigger.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.profile_changes (
  id bigint generated always as identity primary key,
  profile_id uuid not null,
  changed_by uuid not null
);

create function public.track_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profile_changes (profile_id, changed_by)
  values (new.id, auth.uid()); -- TA107
  return new;
end;
$$;

create trigger track_profile after insert or update on public.profiles
  for each row execute function public.track_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
