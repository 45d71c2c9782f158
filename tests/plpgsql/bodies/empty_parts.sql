
declare
begin
  begin
  end;
  if new.id is null then
  end if;
  if true then elsif false then else end if;
  loop
    exit;
  end loop;
  begin
  exception when others then
  end;
  return new;
end;
