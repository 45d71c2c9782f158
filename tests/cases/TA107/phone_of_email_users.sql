-- Users who sign up by e-mail have no phone: every e-mail sign-up fails.
create table public.contacts (
  user_id uuid primary key references auth.users on delete cascade,
  email text,
  phone text not null
);

create function public.add_contact() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.contacts (user_id, email, phone)
  values (new.id, new.email, new.phone) -- TA107
  on conflict (user_id) do update
    set email = excluded.email;
  return new;
end;
$$;

create trigger add_contact after insert on auth.users
  for each row execute function public.add_contact();
