-- || is NULL as soon as one side is.
create table public.contacts (
  user_id uuid primary key references auth.users on delete cascade,
  full_name text not null
);

create function public.add_contact() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.contacts (user_id, full_name)
  select new.id,
         (new.raw_user_meta_data ->> 'first_name') || ' ' || (new.raw_user_meta_data ->> 'last_name'); -- TA107
  return new;
end;
$$;

create trigger add_contact after insert on auth.users
  for each row execute function public.add_contact();
