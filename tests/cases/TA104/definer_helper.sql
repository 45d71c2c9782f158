-- quiet
-- The trigger is invoker and touches nothing; its helper is SECURITY DEFINER and writes, and so does what it calls.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.settings (user_id uuid primary key references auth.users on delete cascade);

create function public.make_settings(p_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.settings (user_id) values (p_id);
end;
$$;

create function public.make_profile(p_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (p_id);
  perform public.make_settings(p_id);
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform public.make_profile(new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
