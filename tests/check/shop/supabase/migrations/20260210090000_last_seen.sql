alter table public.profiles add column last_seen_at timestamptz;
create function public.note_sign_in() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.profiles set last_seen_at = new.last_sign_in_at where id = new.id;
  return null;
end;
$$;
create trigger on_auth_user_signed_in
  after update of last_sign_in_at on auth.users
  for each row when (old.last_sign_in_at is distinct from new.last_sign_in_at)
  execute function public.note_sign_in();
