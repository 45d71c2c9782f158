-- quiet
-- DO NOTHING without a target is content with any unique index, and with none.
create table public.visits (user_id uuid references auth.users on delete cascade, at timestamptz default now());

create function public.note_visit() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.visits (user_id) values (new.id) on conflict do nothing;
  return new;
end;
$$;

create trigger note_visit after insert on auth.users
  for each row execute function public.note_visit();
