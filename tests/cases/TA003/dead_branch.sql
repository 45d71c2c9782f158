-- quiet
-- The dynamic part belongs to the DELETE trigger of another table: sign-ups never reach it.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    execute format('delete from %I.%I where id = $1', tg_table_schema, tg_argv[0]) using old.id;
    return old;
  end if;
  insert into public.profiles (id) values (new.id) on conflict do nothing;
  return new;
end;
$$;

create trigger handle_change after insert on auth.users
  for each row execute function public.handle_change();
