-- Somebody switched the handler off to get sign-ups going again.
-- as supabase_admin
set role postgres;
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users -- TA701
  for each row execute function public.handle_new_user();
reset role;
alter table auth.users disable trigger on_auth_user_created;
