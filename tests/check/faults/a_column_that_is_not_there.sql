alter table public.profiles drop column avatar_url;

create or replace function public.keep_email() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  update public.profiles
  set email = new.email, mail_changed_at = now() -- TA103
  where id = new.id;
  return null;
end;
$$;
create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email) on conflict (id) do nothing;
  return new;
end;
$$;
