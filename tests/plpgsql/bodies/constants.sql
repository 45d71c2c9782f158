
declare
  limit_per_day constant integer not null := 10;
  greeting constant text collate "C" default 'hello';
  now_ timestamptz not null = clock_timestamp();
  ratio numeric(10, 2) := 1.5e-3;
  other alias for new;
begin
  if (select count(*) from auth.users where created_at > now_ - interval '1 day') > limit_per_day then
    raise exception 'too many sign-ups: %', limit_per_day;
  end if;
  return other;
end;
