-- quiet
-- Required and left out, yet a BEFORE INSERT trigger of the table fills them.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  slug text not null,
  created_by text not null
);

create function public.fill_profile() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.slug := coalesce(new.slug, 'user-' || left(new.id::text, 8));
  select current_user into new.created_by;
  return new;
end;
$$;

create trigger fill_profile before insert on public.profiles
  for each row execute function public.fill_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
