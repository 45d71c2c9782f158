create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  raise log 'profile % made', new.id;
end -- TA114
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
