create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create trigger skip_idle_updates before update on public.profiles -- TA002
  for each row execute function suppress_redundant_updates_trigger();

create function public.handle_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do update set email = excluded.email;
  return new;
end;
$$;

create trigger handle_user after insert or update of email on auth.users
  for each row execute function public.handle_user();
