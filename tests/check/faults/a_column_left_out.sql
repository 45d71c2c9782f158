alter table public.preferences add column theme text;
update public.preferences set theme = 'light';
alter table public.preferences alter column theme set not null;

create or replace function public.make_preferences() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.preferences (user_id) values (new.id) on conflict do nothing; -- TA106
  return null;
end;
$$;
