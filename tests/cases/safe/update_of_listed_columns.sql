-- quiet
-- Safe: OF email and OF email_confirmed_at do not fire for the other updates of a sign-up, nor for each other.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text, confirmed boolean not null default false);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create function public.sync_email() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set email = new.email where id = new.id;
  update auth.users set updated_at = now() where id = new.id;
  return new;
end;
$$;

create function public.sync_confirmation() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set confirmed = true where id = new.id and new.email_confirmed_at is not null;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

create trigger sync_email after update of email on auth.users
  for each row execute function public.sync_email();

create trigger sync_confirmation after update of email_confirmed_at on auth.users
  for each row execute function public.sync_confirmation();
