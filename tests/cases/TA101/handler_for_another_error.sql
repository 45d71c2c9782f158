-- The handler catches a duplicate, not a missing table; the second one raises again.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  begin
    insert into profiles (id, email) values (new.id, new.email); -- TA101
  exception when unique_violation then
    raise notice 'profile % is there already', new.id;
  end;
  return new;
exception when undefined_table then
  raise warning 'no profile: %', sqlerrm;
  raise;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
