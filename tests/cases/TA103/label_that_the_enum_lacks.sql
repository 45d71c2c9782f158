create type public.member_state as enum ('invited', 'active', 'left');
create table public.members (
  user_id uuid primary key references auth.users on delete cascade,
  state public.member_state not null
);

create function public.add_member() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.members (user_id, state)
  values (new.id, 'pending'); -- TA103
  return new;
end;
$$;

create trigger add_member after insert on auth.users
  for each row execute function public.add_member();
