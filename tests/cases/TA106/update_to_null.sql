-- Before the address is confirmed the trigger empties a column that may not be empty.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  note text not null default ''
);

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id)
  on conflict (id) do nothing;
  update public.profiles
  set note = null -- TA106
  where id = new.id;
  return new;
end;
$$;

create trigger handle_user after insert on auth.users
  for each row execute function public.handle_user();
