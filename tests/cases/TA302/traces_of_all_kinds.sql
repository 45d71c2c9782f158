-- quiet
-- A line in the log, a row, a helper that writes either, a queued request, a field of the row: somebody can find it.
create extension if not exists pg_net;
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.errors (at timestamptz not null default now(), what text);
create table public.wallets (user_id uuid primary key references auth.users on delete cascade, state text);

create function public.report(p_what text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  raise warning '%', p_what;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when others then
    raise log 'no profile: %', sqlerrm;
  end;
  begin
    insert into public.wallets (user_id) values (new.id);
  exception when others then
    begin
      insert into public.errors (what) values (sqlerrm);
    exception when others then
      null;
    end;
  end;
  begin
    update public.profiles set id = id where id = new.id;
  exception when others then
    if sqlstate like '08%' then
      perform public.report('connection: ' || sqlerrm);
    else
      perform public.report(sqlerrm);
    end if;
  end;
  begin
    delete from public.wallets where user_id = new.id and state = 'old';
  exception when others then
    perform net.http_post('https://alerts.example.com/db', jsonb_build_object('text', sqlerrm));
  end;
  begin
    update public.wallets set state = 'new' where user_id = new.id;
  exception when others then
    update public.wallets set state = null where user_id = new.id;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

create function public.mark_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.errors (what) select 'seen' where false;
  return new;
exception when others then
  new.is_sso_user := false;
  return new;
end;
$$;
create trigger mark_user before insert on auth.users for each row execute function public.mark_user();
