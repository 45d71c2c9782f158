-- The table was granted, the sequence behind bigserial was not.
create table public.members (
  number bigserial primary key,
  user_id uuid not null references auth.users on delete cascade
);
grant insert on public.members to supabase_auth_admin;

create function public.add_member() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.members (user_id) values (new.id); -- TA104
  return new;
end;
$$;

create trigger add_member after insert on auth.users
  for each row execute function public.add_member();
