create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.settings (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references auth.users on delete cascade,
  theme text
);
create index settings_user on public.settings (user_id);

create function public.default_settings(p_user uuid) returns void
language sql security definer set search_path = '' as $$
  insert into public.settings (user_id, theme)
  values (p_user, 'system')
  on conflict (user_id) do nothing; -- TA109
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  perform public.default_settings(new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
