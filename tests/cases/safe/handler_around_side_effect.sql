-- quiet
-- Safe: only the notification can get lost, and that is what the handler is for.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  begin
    perform pg_notify('sign_ups', json_build_object('id', new.id)::text);
  exception when others then
    null;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
