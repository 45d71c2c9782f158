-- quiet
-- A field that only one of the tables has is looked up when the line is reached, and there it exists.
create table public.profiles (id uuid primary key references auth.users on delete cascade, nickname text);
create table public.entries (source text, who text);

create function public.write_entry() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_who text;
begin
  if tg_table_schema = 'auth' and tg_table_name = 'users' then
    v_who := new.email;
  elsif tg_table_name = 'profiles' then
    v_who := new.nickname;
  else
    v_who := tg_table_name;
  end if;
  insert into public.entries (source, who) values (tg_table_name, v_who);
  return new;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, nickname) values (new.id, split_part(new.email, '@', 1));
  return new;
end;
$$;

create trigger a_handle_new_user after insert on auth.users
  for each row execute function public.handle_new_user();
create trigger b_write_entry after insert on auth.users
  for each row execute function public.write_entry();
create trigger write_entry after insert on public.profiles
  for each row execute function public.write_entry();
