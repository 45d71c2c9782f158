-- A condition name that PostgreSQL does not know: it says so when PL/pgSQL compiles the function, with every call.
set check_function_bodies = off;
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.email like '%@spam.example' then
    raise email_refused using message = 'no'; -- TA001
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
