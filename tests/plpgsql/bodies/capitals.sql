
DECLARE
  V_Count INTEGER;
BEGIN
  Select Count(*) Into V_COUNT From Public.Profiles Where Id = New.Id;
  If v_count = 0 Then Insert Into Public.Profiles (Id) Values (NEW.ID); End If;
  Return NEW;
End;
