-- The profile's own trigger swallows what it should add; the handler in its helper raises again and is none.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.inboxes (profile_id uuid primary key references public.profiles on delete cascade);

create function public.add_inbox(p_profile uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  insert into public.inboxes (profile_id) values (p_profile);
  return true;
exception when others then
  raise exception 'no inbox for %: %', p_profile, sqlerrm;
end;
$$;

create function public.complete_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform public.add_inbox(new.id);
  return null;
exception
  when others then -- TA302
    return null;
end;
$$;

create trigger complete_profile after insert on public.profiles
  for each row execute function public.complete_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
