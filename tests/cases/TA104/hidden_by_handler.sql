-- hidden: permission denied is caught and forgotten
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  begin
    insert into public.profiles (id) values (new.id); -- TA104
  exception when insufficient_privilege then
    null;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
