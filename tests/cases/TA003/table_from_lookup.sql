create table public.shards (name text primary key, load integer not null default 0);
insert into public.shards (name) values ('profiles_a'), ('profiles_b');
create table public.profiles_a (id uuid primary key references auth.users on delete cascade);
create table public.profiles_b (id uuid primary key references auth.users on delete cascade);

create function public.place_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_shard text;
  v_sql text;
begin
  select s.name into v_shard from public.shards as s order by s.load, s.name limit 1;
  v_sql := 'insert into public.' || quote_ident(v_shard) || ' (id) values ($1)';
  execute v_sql using new.id; -- TA003
  update public.shards set load = load + 1 where name = v_shard;
  return new;
end;
$$;

create trigger place_user after insert on auth.users
  for each row execute function public.place_user();
