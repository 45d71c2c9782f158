create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text,
  modified_at timestamptz not null default now()
);

create function public.sync_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles as p (id, email)
  values (new.id, new.email)
  on conflict (id) do update
    set email = excluded.email,
        updated_at = now() -- TA103
    where p.email is distinct from excluded.email;
  return new;
end;
$$;

create trigger sync_user after insert or update of email on auth.users
  for each row execute function public.sync_user();
