#variable_conflict use_column
declare
  id uuid := new.id;
begin
  update profiles p set touched = now() where p.id = id;
  return new;
end;
