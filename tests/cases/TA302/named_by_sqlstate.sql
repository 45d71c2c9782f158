-- quiet
-- WHEN OTHERS, and then SQLSTATE or the text is asked for: the handler swallows what it names, and raises the rest.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.wallets (user_id uuid primary key references auth.users on delete cascade);
create table public.inboxes (user_id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_state text;
  v_constraint text;
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when others then
    if sqlstate = '23505' or SQLERRM like '%duplicate key%' then
      return new;
    end if;
    raise;
  end;
  begin
    insert into public.wallets (user_id) values (new.id);
  exception when others then
    get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name;
    if v_state not in ('23505', '23503') and v_constraint is distinct from 'wallets_pkey' then
      raise exception 'no wallet: %', sqlerrm;
    end if;
  end;
  begin
    insert into public.inboxes (user_id) values (new.id);
  exception when others then
    case sqlstate
      when '23505' then
        null;
      else
        raise;
    end case;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
