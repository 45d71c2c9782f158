-- A condition name that PostgreSQL does not know: it says so when PL/pgSQL compiles the function, with every call.
set check_function_bodies = off;
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when unique_violation or duplicate_key then -- TA001
    raise warning 'there already';
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
