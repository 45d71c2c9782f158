-- hidden: the caller catches whatever its helper raises, so the sign-up passes without the preferences
set check_function_bodies = off;

create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.preferences (user_id uuid primary key references auth.users on delete cascade);

create function public.add_preferences(p_user uuid) returns void
language plpgsql set search_path = '' as $$
begin
  if p_user is null then
    return;
  insert into public.preferences (user_id) values (p_user);
end; -- TA001
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  begin
    perform public.add_preferences(new.id);
  exception when others then
    raise warning 'preferences of % not written: %', new.id, sqlerrm;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
