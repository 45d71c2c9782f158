-- The table was granted, the schema forgotten.
create schema app;
create table app.customers (id uuid primary key references auth.users on delete cascade, email text);
grant insert, select on app.customers to supabase_auth_admin;

create function app.add_customer() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into app.customers (id, email) -- TA104
  values (new.id, new.email)
  on conflict (id) do nothing;
  return new;
end;
$$;

create trigger add_customer after insert on auth.users
  for each row execute function app.add_customer();
