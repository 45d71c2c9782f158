-- quiet
-- An invoker function with all it needs: schema, table, columns, sequence, function.
create schema app;
create table app.customers (
  number bigserial primary key,
  user_id uuid not null unique references auth.users on delete cascade,
  email text,
  internal_note text
);
create function app.normalised(p_text text) returns text
language sql immutable set search_path = '' as $$ select lower(trim(p_text)) $$;
grant usage on schema app to supabase_auth_admin;
grant insert (user_id, email), select (user_id, number) on app.customers to supabase_auth_admin;
grant usage on sequence app.customers_number_seq to supabase_auth_admin;
revoke execute on function app.normalised(text) from public;
grant execute on function app.normalised(text) to supabase_auth_admin;

create function app.add_customer() returns trigger
language plpgsql set search_path = '' as $$
declare
  v_number bigint;
begin
  insert into app.customers (user_id, email)
  values (new.id, app.normalised(new.email))
  returning number into v_number;
  raise debug 'customer %', v_number;
  return new;
end;
$$;

create trigger add_customer after insert on auth.users
  for each row execute function app.add_customer();
