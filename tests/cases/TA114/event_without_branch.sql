-- The trigger was extended to UPDATE, the function was not.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    insert into public.profiles (id, email) values (new.id, new.email);
    return new;
  elsif tg_op = 'DELETE' then
    return old;
  end if;
end; -- TA114
$$;

create trigger handle_user after insert or update or delete on auth.users
  for each row execute function public.handle_user();
