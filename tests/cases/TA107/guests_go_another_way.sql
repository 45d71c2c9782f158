-- quiet
-- Three kinds of users, three branches, each with what it has.
create table public.accounts (
  user_id uuid primary key references auth.users on delete cascade,
  login text not null
);

create function public.open_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.is_anonymous then
    insert into public.accounts (user_id, login) values (new.id, 'guest-' || new.id);
  elsif new.email is not null then
    insert into public.accounts (user_id, login) values (new.id, new.email);
  elsif new.phone is not null then
    insert into public.accounts (user_id, login) values (new.id, new.phone);
  end if;
  return new;
end;
$$;

create trigger open_account after insert on auth.users
  for each row execute function public.open_account();
