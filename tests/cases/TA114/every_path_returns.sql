-- quiet
-- No RETURN as the last statement, and none is missing.
create table public.profiles (id uuid primary key references auth.users on delete cascade, username text unique);

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_number integer := 0;
begin
  case tg_op
    when 'INSERT' then
      loop
        v_number := v_number + 1;
        begin
          insert into public.profiles (id, username)
          values (new.id, 'user' || v_number || '-' || left(md5(random()::text), 4));
          return new;
        exception when unique_violation then
          if v_number > 50 then
            raise;
          end if;
        end;
      end loop;
    when 'UPDATE' then
      if new.email is distinct from old.email then
        return new;
      else
        begin
          return null;
        end;
      end if;
    else
      raise exception 'not for %', tg_op;
  end case;
end;
$$;

create trigger handle_user after insert or update of email on auth.users
  for each row execute function public.handle_user();
