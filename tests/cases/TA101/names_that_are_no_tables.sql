-- quiet
-- WITH names, aliases, transition tables, a temporary table and set-returning functions need no table in the catalog.
create table public.profiles (id uuid primary key references auth.users on delete cascade, label text);
create table public.grants (user_id uuid references auth.users on delete cascade, grant_key text);

create function public.handle_new_users() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_key text;
begin
  create temporary table if not exists pending_keys (key text) on commit drop;
  delete from pg_temp.pending_keys where true;
  insert into pg_temp.pending_keys
  select k.key from unnest(array['read', 'comment']) as k (key);

  with recursive numbered (n) as (
    values (1)
    union all
    select numbered.n + 1 from numbered where numbered.n < 2
  ),
  fresh as materialized (
    select added.id, 'user ' || (select max(n) from numbered) as label
    from added
  )
  insert into public.profiles (id, label)
  select fresh.id, fresh.label from fresh;

  for v_key in select p.key from pg_temp.pending_keys as p loop
    insert into public.grants (user_id, grant_key) select added.id, v_key from added;
  end loop;
  return null;
end;
$$;

create trigger handle_new_users after insert on auth.users
  referencing new table as added
  for each statement execute function public.handle_new_users();
