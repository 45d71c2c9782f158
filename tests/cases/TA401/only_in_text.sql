-- quiet
-- The words stand in a comment, in a message, and in a function that no trigger calls.
create table public.profiles (id uuid primary key references auth.users on delete cascade, note text);

create function public.reset_everything() returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set note = null;
  delete from public.profiles;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- delete from public.profiles;
  insert into public.profiles (id, note) values (new.id, 'update public.profiles set note = null;');
  raise debug 'delete from public.profiles';
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
