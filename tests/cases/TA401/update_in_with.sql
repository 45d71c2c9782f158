create table public.profiles (id uuid primary key references auth.users on delete cascade, position integer not null default 0);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  with moved as (
    update public.profiles -- TA401
    set position = position + 1
    returning id
  )
  insert into public.profiles (id, position)
  select new.id, 0
  where (select count(*) from moved) >= 0;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
