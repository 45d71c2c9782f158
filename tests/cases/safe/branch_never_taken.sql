-- quiet
-- Safe: TG_OP of the attached events decides, the other branch is dead.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    insert into public.profiles (id) values (new.id);
  elsif tg_op = 'DELETE' then
    delete from public.gone_long_ago;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
