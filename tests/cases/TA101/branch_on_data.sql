-- uncertain: the branch is taken only for addresses of one domain
-- not smoked: the probe's address is of another domain
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  if new.email like '%@corp.example' then
    insert into public.employees (user_id) values (new.id); -- TA101
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
