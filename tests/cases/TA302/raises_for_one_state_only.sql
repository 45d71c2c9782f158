-- One error is raised again and one gets a warning; all the others vanish.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
exception when others then -- TA302
  if sqlstate = '42501' then
    raise;
  elsif sqlerrm ilike '%timeout%' then
    raise warning 'slow: %', sqlerrm;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
