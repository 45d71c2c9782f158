do $$
declare
  each_name text;
begin
  foreach each_name in array array['currency', 'country'] loop
    execute format('insert into private.secrets (name, value) values (%L, %L)', each_name, '');
  end loop;
end;
$$;
