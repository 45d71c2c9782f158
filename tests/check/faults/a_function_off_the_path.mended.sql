create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.profiles (id, email, avatar_url)
  values (new.id, new.email, encode(extensions.digest(coalesce(new.email, ''), 'sha256'), 'hex'));
  return new;
end;
$$;
