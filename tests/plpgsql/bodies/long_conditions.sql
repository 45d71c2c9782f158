
begin
  if new.email_confirmed_at is not null
     and (
       old.email_confirmed_at is null
       or old.email_confirmed_at < new.email_confirmed_at
     )
  then
    insert into public.confirmed (id)
    values (
      new.id
    )
    on conflict
      do nothing;
  elsif
    new.phone is distinct from old.phone
  then
    update public.profiles
       set phone = new.phone
     where id = new.id;
  end if;
  return
    new;
end;
