-- A BEFORE trigger of the profile forgets to return for rows that need no slug.
create table public.profiles (id uuid primary key references auth.users on delete cascade, slug text default 'user');

create function public.set_slug() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.slug is null then
    new.slug := left(new.id::text, 8);
    return new;
  end if;
end; -- TA114
$$;

create trigger set_slug before insert on public.profiles
  for each row execute function public.set_slug();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
