-- The handler tries again with less, and a handler around that try swallows what is left.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text, locale text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email, locale) values (new.id, new.email, new.raw_user_meta_data ->> 'locale');
  return new;
exception when others then
  begin
    insert into public.profiles (id) values (new.id);
  exception when others then -- TA302
    null;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
