
declare a int; b text;
begin
  select into a, b 1, 'x';
  select into strict a count(*) from t;
  select 1 into a union all select 2;
  with moved as (delete from t returning id) insert into archive select id from moved;
  with counted as (select count(*) as n from t) select n into a from counted;
  insert into log values ('select into', 1);
  return new;
end
