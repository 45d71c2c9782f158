-- Any failure: a constraint added later, a column renamed. Nothing is wrong today, and nobody will hear of it tomorrow.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create table public.settings (user_id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  insert into public.settings (user_id) values (new.id);
  return new;
exception
  when unique_violation then
    raise;
  when others then -- TA302
    return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
