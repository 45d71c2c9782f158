-- quiet
-- The function falls off its end for DELETE; no trigger fires it for DELETE.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    insert into public.profiles (id, email) values (new.id, new.email);
    return new;
  elsif tg_op = 'UPDATE' then
    update public.profiles set email = new.email where id = new.id;
    return new;
  end if;
end;
$$;

create trigger handle_user after insert or update of email on auth.users
  for each row execute function public.handle_user();
