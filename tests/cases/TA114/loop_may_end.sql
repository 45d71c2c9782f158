create table public.profiles (id uuid primary key references auth.users on delete cascade, username text unique);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_number integer := 0;
begin
  while v_number < 0 loop
    insert into public.profiles (id, username) values (new.id, 'user' || v_number) on conflict do nothing;
    if found then
      return new;
    end if;
    v_number := v_number + 1;
  end loop;
end; -- TA114
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
