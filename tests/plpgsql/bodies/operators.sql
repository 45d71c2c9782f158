
declare n int := -1; ok boolean;
begin
  n := n - -1 + @ -5 * 2 ^ 3 % 7;
  ok := new.raw_user_meta_data @> '{"a": 1}' and new.raw_user_meta_data ? 'b' or not new.raw_user_meta_data ?| array['c'];
  ok := '10.0.0.1'::inet <<= '10.0.0.0/8' or '10.0.0.1'::inet << '10.0.0.0/8' or 8 >> 1 = 4;
  ok := new.email ~* '^a' and new.email !~ 'b$' and n <> 1 and n != 2 and n >= 3;
  n=n+1;
  n:=-n;
  return new;
end;
