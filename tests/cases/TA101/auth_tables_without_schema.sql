-- quiet
-- An invoker function sees Auth's path, and there `users` and `identities` are what they say.
create function public.look_around() returns trigger
language plpgsql as $$
declare
  v_known integer;
begin
  select count(*) into v_known from users as u where u.email = new.email;
  if v_known > 1 or exists (select from identities as i where i.user_id = new.id) then
    raise debug 'known %', v_known;
  end if;
  return new;
end;
$$;

create trigger look_around after insert on auth.users
  for each row execute function public.look_around();
