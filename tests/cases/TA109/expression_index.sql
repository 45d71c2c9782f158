-- Unique is lower(email), not email.
create table public.leads (id bigint generated always as identity primary key, email text, converted boolean);
create unique index leads_email on public.leads (lower(email));

create function public.convert_lead() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.leads (email, converted)
  values (new.email, true)
  on conflict (email) do update set converted = true; -- TA109
  return new;
end;
$$;

create trigger convert_lead after insert on auth.users
  for each row execute function public.convert_lead();
