-- Sign-up with confirmation passes; every login fails, for then the trigger writes as supabase_auth_admin.
create table public.presence (user_id uuid primary key references auth.users on delete cascade, seen_at timestamptz);

create function public.note_presence() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.presence (user_id, seen_at) -- TA104
  values (new.id, new.last_sign_in_at)
  on conflict (user_id) do update set seen_at = excluded.seen_at;
  return new;
end;
$$;

create trigger note_presence after update of last_sign_in_at on auth.users
  for each row
  when (new.last_sign_in_at is distinct from old.last_sign_in_at)
  execute function public.note_presence();
