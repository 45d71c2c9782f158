-- quiet
-- Safe: a column's default is bound to the function itself, not to its name.
create table public.profiles (id uuid primary key references auth.users on delete cascade, api_key text default encode(extensions.gen_random_bytes(12), 'hex'), number uuid default extensions.uuid_generate_v4());

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
