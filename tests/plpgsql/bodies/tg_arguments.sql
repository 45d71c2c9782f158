
declare
  kind text := tg_argv[0];
begin
  if tg_nargs > 1 and tg_when = 'BEFORE' and tg_level = 'ROW' then
    kind := tg_argv[1];
  end if;
  execute format('update %I.%I set touched = now() where id = $1', tg_table_schema, kind) using new.id;
  return case when tg_op = 'DELETE' then old else new end;
end;
