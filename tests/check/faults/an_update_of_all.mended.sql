create or replace function public.note_sign_in() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.profiles set last_seen_at = new.last_sign_in_at where id = new.id;
  return null;
end;
$$;
