-- quiet
-- Safe: pg_catalog is always searched, gen_random_uuid() included.
create table public.profiles (id uuid primary key references auth.users on delete cascade, token uuid, made timestamptz, data jsonb, hash text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, token, made, data, hash)
  values (
    new.id, gen_random_uuid(), now(),
    jsonb_build_object('email', coalesce(new.email, ''), 'roles', array['a', 'b']::text[]),
    encode(sha256(convert_to(new.id::text, 'UTF8')), 'hex')
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
