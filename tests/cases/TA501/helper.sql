-- The trigger is invoker; its helper is SECURITY DEFINER and takes Auth's path.
create function public.count_users(p_domain text) returns bigint
language plpgsql stable security definer as $$ -- TA501
declare
  v_users bigint;
begin
  select count(*) into v_users from users where email like '%@' || p_domain;
  return v_users;
end;
$$;

create function public.look_at_domain() returns trigger
language plpgsql as $$
begin
  raise debug '% of this domain', public.count_users(split_part(coalesce(new.email, ''), '@', 2));
  return new;
end;
$$;

create trigger look_at_domain after insert on auth.users
  for each row execute function public.look_at_domain();
