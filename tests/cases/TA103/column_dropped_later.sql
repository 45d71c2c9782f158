create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text,
  username text,
  full_name text
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (
    id,
    email,
    username, -- TA103
    full_name
  )
  values (
    new.id,
    new.email,
    split_part(new.email, '@', 1),
    new.raw_user_meta_data ->> 'full_name'
  )
  on conflict (id) do nothing;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

alter table public.profiles drop column username;
