create table public.login_history (
  id bigint generated always as identity primary key,
  user_id uuid not null references auth.users on delete cascade,
  at timestamptz not null default now()
);

create function public.note_login() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.login_history (user_id) values (new.id);
  return null;
end;
$$;

create trigger on_auth_user_login
  after update of last_sign_in_at on auth.users
  for each row when (old.last_sign_in_at is distinct from new.last_sign_in_at)
  execute function public.note_login();
