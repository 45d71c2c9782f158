
begin
  call public.refresh_all(new.id, 'x;y');
  do $do$ begin perform 1; end $do$;
  commit;
  rollback and chain;
  return null;
end;
