-- auth.users has last_sign_in_at; the sign-up itself updates the row, so it fails there already.
create table public.logins (user_id uuid references auth.users on delete cascade, at timestamptz);

create function public.record_login() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if old.last_login_at is distinct from new.last_sign_in_at then -- TA103
    insert into public.logins (user_id, at) values (new.id, new.last_sign_in_at);
  end if;
  return new;
end;
$$;

create trigger record_login after update on auth.users
  for each row execute function public.record_login();
