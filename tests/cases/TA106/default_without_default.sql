-- DEFAULT means NULL where the column has none; the INSERT has no column list.
create table public.stats (
  user_id uuid primary key references auth.users on delete cascade,
  points integer not null,
  level integer not null default 1
);

create function public.start_points() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.stats -- TA106
  values (new.id, default, default);
  return new;
end;
$$;

create trigger start_points after insert on auth.users
  for each row execute function public.start_points();
