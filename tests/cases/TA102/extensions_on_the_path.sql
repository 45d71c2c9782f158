-- quiet
create table public.profiles (id uuid primary key references auth.users on delete cascade, invite text, token uuid);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public, extensions as $$
begin
  insert into profiles (id, invite, token)
  values (new.id, encode(gen_random_bytes(6), 'hex'), uuid_generate_v4());
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
