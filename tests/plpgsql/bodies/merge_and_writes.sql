
begin
  merge into public.stats s
  using (select new.id as id) n on s.id = n.id
  when matched then update set visits = visits + 1
  when not matched then insert (id, visits) values (n.id, 1);
  truncate public.scratch;
  lock table public.stats in share row exclusive mode;
  notify users, 'changed';
  perform pg_notify('users', new.id::text);
  set local search_path = public, extensions;
  refresh materialized view public.totals;
  return null;
end;
