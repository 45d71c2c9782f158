-- The profile's own trigger means its row and takes all; a handler around it makes that no better.
create table public.profiles (id uuid primary key references auth.users on delete cascade, is_default boolean not null default false);

create function public.only_one_default() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    update public.profiles set is_default = false; -- TA401
  exception when others then
    raise warning '%', sqlerrm;
  end;
  new.is_default := true;
  return new;
end;
$$;

create trigger only_one_default before insert on public.profiles
  for each row execute function public.only_one_default();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
