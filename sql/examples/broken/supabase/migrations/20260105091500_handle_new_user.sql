create extension if not exists pgcrypto with schema extensions;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  insert into profiles (id, email, display_name, avatar_url)
  values (
    new.id,
    new.email,
    coalesce(new.raw_user_meta_data ->> 'full_name', split_part(new.email, '@', 1)),
    new.raw_user_meta_data ->> 'avatar_url'
  );

  insert into memberships (user_id, role)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'role', 'cook')::member_role);

  begin
    insert into invite_codes (user_id, code)
    values (new.id, encode(gen_random_bytes(6), 'hex'));
  exception when others then
    raise warning 'no invite code for %', new.id;
  end;

  return new;
end;
$$;

create trigger on_auth_user_created
  after insert on auth.users
  for each row execute function public.handle_new_user();
