-- quiet
-- Early return, IF, WHEN, a second assignment under a test: what is NULL never arrives.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text not null,
  full_name text not null,
  company text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_full_name text := new.raw_user_meta_data ->> 'full_name';
  v_company text;
begin
  if new.email is null then
    return new;
  end if;
  if v_full_name is null or trim(v_full_name) = '' then
    v_full_name := split_part(new.email, '@', 1);
  end if;
  if new.raw_user_meta_data ? 'company' and new.raw_user_meta_data ->> 'company' <> '' then
    v_company := new.raw_user_meta_data ->> 'company';
  else
    v_company := '-';
  end if;

  insert into public.profiles (id, email, full_name, company)
  values (new.id, new.email, v_full_name, v_company);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
