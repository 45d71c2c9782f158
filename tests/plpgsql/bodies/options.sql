#print_strict_params on
#variable_conflict use_variable
begin
  perform 1;
  return new;
end;
