-- quiet
-- The handler keeps the news in a variable, or returns it: what follows looks at it.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.wallets (user_id uuid primary key references auth.users on delete cascade);

create function public.try_wallet(p_user uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  insert into public.wallets (user_id) values (p_user);
  return true;
exception when others then
  return false;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_failure text;
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when others then
    v_failure := sqlerrm;
  end;
  if v_failure is not null then
    raise warning 'no profile: %', v_failure;
  end if;
  if not public.try_wallet(new.id) then
    raise exception 'no wallet for %', new.id;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
