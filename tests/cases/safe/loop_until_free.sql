-- quiet
-- Safe: the loop ends after twenty tries, and the suffix is random.
create table public.profiles (id uuid primary key references auth.users on delete cascade, username text not null unique);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_base text := lower(split_part(coalesce(new.email, 'guest'), '@', 1));
  v_username text := v_base;
begin
  for v_try in 1 .. 20 loop
    begin
      insert into public.profiles (id, username) values (new.id, v_username);
      return new;
    exception when unique_violation then
      v_username := v_base || '-' || left(md5(random()::text), 6);
    end;
  end loop;
  raise exception 'no user name left for %', v_base;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
