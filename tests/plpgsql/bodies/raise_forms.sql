
begin
  raise 'plain';
  raise notice 'percent %% and value %', new.id;
  raise exception using errcode = 'check_violation', message = 'no ' || new.email;
  raise unique_violation using constraint = 'users_email_key', table = 'users', schema = 'auth', column = 'email';
  raise sqlstate '23514' using detail = 'd', datatype = 't';
  raise log 'first part '
    'second part %', new.email;
  raise info E'tab\there %', 1 using hint = 'h';
  raise debug $m$dollar %$m$, now();
  assert new.email is not null, 'an address';
  return null;
exception
  when others then
    raise;
end;
