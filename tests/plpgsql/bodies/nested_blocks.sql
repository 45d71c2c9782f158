
declare
  x int := 1;
begin
  declare
    x text := 'inner';
    y int;
  begin
    y := length(x);
    <<deep>>
    declare
      x boolean;
    begin
      x := y > 2;
      if x then
        exit deep;
      end if;
      y := 0;
    exception
      when division_by_zero then
        declare
          z int := 0;
        begin
          y := z;
        end;
    end deep;
  end;
  return new;
end;
