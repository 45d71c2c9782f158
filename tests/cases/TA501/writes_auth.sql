create function public.forget_sessions() returns trigger
language plpgsql security definer as $$ -- TA501
begin
  if new.banned_until is not null and new.banned_until > now() then
    delete from sessions where user_id = new.id;
  end if;
  return new;
end;
$$;

create trigger forget_sessions after update of banned_until on auth.users
  for each row execute function public.forget_sessions();
