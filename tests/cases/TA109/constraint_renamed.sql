-- The constraint that the function names has another name in this database.
create table public.profiles (
  id uuid constraint profiles_id_key unique references auth.users on delete cascade,
  email text
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email)
  values (new.id, new.email)
  on conflict on constraint profiles_pkey do nothing; -- TA109
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
