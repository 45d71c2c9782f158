-- quiet
-- Not SECURITY DEFINER: whoever plants an object gains nobody's rights.
create function public.look_around() returns trigger
language plpgsql as $$
declare
  v_users bigint;
begin
  select count(*) into v_users from users;
  raise debug '% users', v_users;
  return new;
end;
$$;

create trigger look_around after insert on auth.users
  for each row execute function public.look_around();
