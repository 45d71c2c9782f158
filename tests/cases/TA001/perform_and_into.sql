-- quiet
-- SELECT with INTO in odd places, PERFORM, EXECUTE with INTO and USING: each result has somewhere to go.
create table public.profiles (id uuid primary key references auth.users on delete cascade, rank bigint, code text);

create function public.notify_new_profile(p_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform pg_catalog.pg_notify('profiles', p_id::text);
end
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_rank bigint;
  v_code text;
  v_row record;
begin
  select count(*) into v_rank from public.profiles;
  <<into_last>> begin
    select p.id, p.rank from public.profiles as p order by p.rank desc limit 1 into v_row;
  end;
  execute 'select upper(left($1, 4))' into strict v_code using new.id::text;
  insert into public.profiles (id, rank, code) values (new.id, v_rank + 1, v_code) returning code into v_code;
  perform public.notify_new_profile(new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
