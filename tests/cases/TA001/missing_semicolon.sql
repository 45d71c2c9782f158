-- The semicolon after the assignment was lost in a merge; a dump with check_function_bodies off brought it in.
set check_function_bodies = off;

create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  display_name text not null default ''
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_display_name text;
begin
  v_display_name := coalesce(new.raw_user_meta_data ->> 'display_name', '')

  insert into public.profiles (id, display_name) -- TA001
  values (new.id, v_display_name);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
