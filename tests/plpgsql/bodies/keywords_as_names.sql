
declare
  type text; message text; query text; "end" int; error text; slice int; first int; notice boolean;
begin
  type := 'x';
  message := type || 'y';
  query = 'select 1';
  "end" := 3;
  error := sqlstate_of('x');
  first := slice;
  select t.type, t.message into type, message from t;
  execute query into first;
  if notice then return null; end if;
  return new;
end;
