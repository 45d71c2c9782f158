-- quiet
-- Safe: the rows would cascade anyway.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.posts (id bigint generated always as identity primary key, author_id uuid not null references public.profiles on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  insert into public.posts (author_id) values (new.id);
  return new;
end;
$$;

create function public.handle_user_gone() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.posts where author_id = old.id;
  delete from public.profiles where id = old.id;
  return old;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();

create trigger on_auth_user_deleted before delete on auth.users
  for each row execute function public.handle_user_gone();
