-- ELSE IF opens a second IF, which has no END IF of its own.
set check_function_bodies = off;

create table public.members (user_id uuid primary key references auth.users on delete cascade, source text);

create function public.register_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.is_anonymous then
    insert into public.members (user_id, source) values (new.id, 'guest');
  else if new.phone is not null then
    insert into public.members (user_id, source) values (new.id, 'phone');
  else
    insert into public.members (user_id, source) values (new.id, 'email');
  end if;
  return new;
end; -- TA001
$$;

create trigger register_member after insert on auth.users
  for each row execute function public.register_member();
