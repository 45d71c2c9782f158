-- The helper returns how it went, and PERFORM throws that away.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.try_profile(p_user uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id) values (p_user);
  return true;
exception when others then -- TA302
  return false;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform public.try_profile(new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
