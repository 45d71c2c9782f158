
<<
  main
>>
declare
  n int;
begin
  main.n := 1;
  <<again>>
  loop
    <<inner_loop>>
    for i in 1..3 loop
      exit again when i = main.n;
      continue again;
    end loop inner_loop;
  end loop again;
  return new;
end
main
;
