-- quiet
-- Safe: every name has its schema: no path can break it.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do nothing;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
