-- hidden: the statement cannot be planned, and the handler hides that
create table public.profiles (id uuid references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do update set email = excluded.email; -- TA109
  return new;
exception when others then
  raise warning 'profile: %', sqlerrm;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
