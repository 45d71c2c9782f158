create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.settings (profile_id uuid primary key references public.profiles on delete cascade, theme text);

create function public.default_theme() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.theme := coalesce(new.theme, 'system');
  return new;
end;
$$;
create trigger default_theme before insert on public.settings -- TA701
  for each row execute function public.default_theme();
alter table public.settings disable trigger user;

create function public.add_settings() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.settings (profile_id) values (new.id);
  return new;
end;
$$;
create trigger add_settings after insert on public.profiles
  for each row execute function public.add_settings();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
