create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_row record;
begin
  insert into public.profiles (id) values (new.id);
  select p.id, p.full_name into v_row from public.profiles as p where p.id = new.id;
  if v_row.nickname is null then -- TA103
    update public.profiles set full_name = 'unknown' where id = v_row.id;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
