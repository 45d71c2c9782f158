-- before; begin
/* a block /* nested; end */ ; */
declare -- names
  /* none */ n int /* ; */ := 1 -- ; default
  ;
begin -- start
  select /* into x */ count(*) -- from nowhere;
    into /* the variable */ n -- n;
    from /* then */ t;
  if /* if */ n > 0 -- then
  then /* then */ null; end /* */ if -- ;
  ;
  return /* old */ new -- ;
  ;
end -- the end
/* after */
