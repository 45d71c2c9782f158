-- quiet
-- Audit rows and counters may get lost (an info), messages and temporary tables too; what never runs hides nothing.
create extension if not exists pg_net;
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.audit_log (id bigint generated always as identity primary key, what text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_total bigint;
begin
  insert into public.profiles (id) values (new.id);
  begin
    insert into public.audit_log (what) values ('signed up');
  exception when others then
    null;
  end;
  begin
    perform net.http_post('https://example.com/welcome', jsonb_build_object('id', new.id));
    perform realtime.send(jsonb_build_object('id', new.id), 'sign-up', 'users', false);
  exception when others then
    null;
  end;
  begin
    create temporary table if not exists seen (id uuid) on commit drop;
    insert into seen (id) values (new.id);
  exception when others then
    null;
  end;
  begin
    select count(*) into v_total from public.profiles;
  exception when others then
    v_total := 0;
  end;
  if tg_op = 'DELETE' then
    begin
      delete from public.profiles where id = old.id;
    exception when others then
      null;
    end;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
