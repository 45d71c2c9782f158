-- quiet
-- Safe: nothing is swallowed; the message only gets a context.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
exception when others then
  raise log 'profile of %: %', new.id, sqlerrm;
  raise;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
