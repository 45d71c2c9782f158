-- NOT NULL sits in the domain, not on the column.
create domain public.handle as text not null check (value = lower(value));
create table public.authors (id uuid primary key references auth.users on delete cascade, handle public.handle, bio text);

create function public.add_author() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.authors (id, bio) -- TA106
  select new.id, new.raw_user_meta_data ->> 'bio';
  return new;
end;
$$;

create trigger add_author after insert on auth.users
  for each row execute function public.add_author();
