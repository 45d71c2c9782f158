-- quiet
-- Safe: idempotent, and profiles has no way back to auth.users.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email, full_name)
  values (new.id, new.email, new.raw_user_meta_data ->> 'full_name')
  on conflict (id) do update
    set email = excluded.email,
        full_name = coalesce(excluded.full_name, public.profiles.full_name);
  return new;
end;
$$;

create trigger on_auth_user_created after insert or update on auth.users
  for each row execute function public.handle_new_user();
