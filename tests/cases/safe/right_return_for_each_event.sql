-- quiet
-- Safe: RETURN OLD for DELETE, coalesce(NEW, OLD), branches by TG_OP: each event gets its row.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.sync_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    delete from public.profiles where id = old.id;
    return old;
  end if;
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do update set email = excluded.email;
  return coalesce(new, old);
end;
$$;

create trigger a_before_delete before delete on auth.users
  for each row execute function public.sync_profile();

create trigger b_after_change after insert or update of email on auth.users
  for each row execute function public.sync_profile();
