-- quiet
-- What failed is tried again until it works, or until somebody is told.
create table public.profiles (id uuid primary key references auth.users on delete cascade, username text unique);
create table public.codes (user_id uuid primary key references auth.users on delete cascade, code text unique);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_left integer := 5;
begin
  loop
    begin
      insert into public.profiles (id, username) values (new.id, left(md5(random()::text), 8));
      exit;
    exception when others then
      v_left := v_left - 1;
      if v_left = 0 then
        raise;
      end if;
    end;
  end loop;
  for v_try in 1 .. 3 loop
    begin
      insert into public.codes (user_id, code) values (new.id, left(md5(random()::text), 6));
      return new;
    exception when others then
      null;
    end;
  end loop;
  raise warning 'no code for %', new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
