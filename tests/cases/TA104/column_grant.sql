-- The grant names two columns; the function writes a third one.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text, plan_note text);
grant insert (id, email) on public.profiles to supabase_auth_admin;

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id, email, plan_note) values (new.id, new.email, 'trial'); -- TA104
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
