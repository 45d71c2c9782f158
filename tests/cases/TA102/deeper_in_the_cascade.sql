-- The profile's own trigger calls pgcrypto under the path of the handler.
create table public.profiles (id uuid primary key references auth.users on delete cascade, api_key text);

create function public.make_api_key() returns trigger
language plpgsql as $$
begin
  new.api_key := coalesce(
    new.api_key,
    encode(digest(new.id::text || clock_timestamp()::text, 'sha256'), 'hex') -- TA102
  );
  return new;
end;
$$;

create trigger make_api_key before insert on public.profiles
  for each row execute function public.make_api_key();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
