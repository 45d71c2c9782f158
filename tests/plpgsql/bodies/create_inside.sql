
begin
  create temp table if not exists seen (id uuid) on commit drop;
  create or replace function public.made(x int) returns int begin atomic select case when x > 0 then 1 else 2 end; select 3; end;
  create rule keep as on delete to seen do instead (select 1; select 2);
  create view v as select 1;
  drop table seen;
  grant select on v to anon;
  comment on view v is 'into; the view';
  alter table t add column c int;
  return null;
end;
