
declare
  due cursor (who uuid, day date) for
    select * from reminders where owner = who and at::date = day for update;
  everybody no scroll cursor for select id from people;
  free refcursor;
  one record;
  n int;
begin
  open due (new.id, current_date);
  loop
    fetch due into one;
    exit when not found;
    update reminders set sent = true where current of due;
  end loop;
  close due;
  open everybody;
  fetch first from everybody into n;
  move forward 2 from everybody;
  move everybody;
  close everybody;
  open free for select 1;
  fetch relative -1 in free into n;
  close free;
  open free no scroll for execute 'select $1' using n;
  close free;
  for one in due (who := new.id, day := current_date) loop
    null;
  end loop;
  return new;
end;
