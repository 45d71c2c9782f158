create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create table public.login_history (user_id uuid, at timestamptz);

create function public.note_login() returns trigger language plpgsql set search_path = '' as $$
begin
  insert into public.login_history values (new.id, new.last_sign_in_at);
  return new;
end;
$$;

create trigger on_login after update of last_sign_in_at on auth.users
  for each row execute function public.note_login();

create function public.clear_recovery() returns trigger language plpgsql security definer as $$
-- trigger-audit: ignore TA501 it names no object
begin
  new.recovery_token := '';
  return new;
end;
$$;

create trigger clear_recovery before update of recovery_token on auth.users
  for each row execute function public.clear_recovery();

-- What a report must not take for markup, a mention, a link or a command of the job.
create function public.hostile() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from public."::error::##[x]|<b>@team #1 [y](http://z) `%0A`";
  return old;
end;
$$;

create trigger hostile before delete on auth.users for each row execute function public.hostile();

create tabel public.misspelt (id int);
