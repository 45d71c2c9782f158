create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_profile public.profiles%rowtype;
begin
  insert into public.profiles (id) values (new.id) returning * into v_profile;
  if v_profile.nickname is null then -- TA103
    update public.profiles set full_name = 'unknown' where id = v_profile.id;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
