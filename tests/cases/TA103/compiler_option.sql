-- quiet
-- #variable_conflict decides; without it the name would be ambiguous.
create table public.members (user_id uuid primary key references auth.users on delete cascade, email text);

create function public.add_member() returns trigger
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  email text := lower(new.email);
begin
  insert into public.members (user_id, email) values (new.id, email);
  update public.members set email = lower(email) where user_id = new.id and email is not null;
  return new;
end;
$$;

create trigger add_member after insert on auth.users
  for each row execute function public.add_member();
