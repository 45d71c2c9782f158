-- The helper writes, the caller's handler swallows: one finding, at the handler.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.teams (id bigint generated always as identity primary key, owner_id uuid references auth.users on delete cascade);

create function public.make_profile(p_user uuid) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id) values (p_user);
end;
$$;

create function public.make_team(p_user uuid) returns void
language sql set search_path = '' as $$
  insert into public.teams (owner_id) values (p_user);
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    perform public.make_profile(new.id);
    perform public.make_team(new.id);
  exception when others then -- TA302
    null;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
