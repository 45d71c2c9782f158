-- quiet
-- Safe: they do not fire in an ordinary session.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.never() returns trigger
language plpgsql  as $$
begin
  raise exception 'never';
end;
$$;
create trigger a_never before insert on public.profiles for each row execute function public.never();
alter table public.profiles disable trigger a_never;
create trigger b_never before insert on public.profiles for each row execute function public.never();
alter table public.profiles enable replica trigger b_never;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
