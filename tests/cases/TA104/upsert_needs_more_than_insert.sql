-- ON CONFLICT DO UPDATE needs UPDATE and SELECT as well; only INSERT was granted.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
grant insert on public.profiles to supabase_auth_admin;

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email) -- TA104
  on conflict (id) do update set email = excluded.email;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
