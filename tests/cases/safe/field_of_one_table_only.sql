-- quiet
-- Safe: a field is looked up when its line is reached.
create table public.profiles (id uuid primary key references auth.users on delete cascade, nickname text);
create table public.names (name text);

create function public.collect_name() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_table_name = 'profiles' then
    insert into public.names (name) values (new.nickname);
  else
    insert into public.names (name) values (new.email);
    insert into public.profiles (id) values (new.id);
  end if;
  return new;
end;
$$;

create trigger collect_name after insert on auth.users
  for each row execute function public.collect_name();

create trigger collect_name after insert on public.profiles
  for each row execute function public.collect_name();
