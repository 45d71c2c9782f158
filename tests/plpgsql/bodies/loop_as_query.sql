
declare r record; k text; v jsonb;
begin
  for k, v in select key, value from jsonb_each(new.raw_user_meta_data) loop
    insert into attributes (user_id, key, value) values (new.id, k, v);
  end loop;
  for r in with recursive up as (select 1 as n union all select n + 1 from up where n < 5) select * from up loop
    continue when r.n = 2;
  end loop;
  for r in update quotas set used = 0 where owner = new.id returning * loop
    perform 1;
  end loop;
  for r in values (1), (2) loop null; end loop;
  for i in 1 .. (select count(*) from quotas) loop null; end loop;
  return new;
end;
