-- quiet
-- Every way to the INSERT gives the variables a value; where it does not, the INSERT is not reached.
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text not null, company text not null);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_full_name text;
  v_company text;
begin
  if new.raw_user_meta_data ? 'full_name' then
    v_full_name := coalesce(new.raw_user_meta_data ->> 'full_name', '');
  end if;
  if new.raw_user_meta_data ? 'company' then
    v_company := coalesce(nullif(coalesce(new.raw_user_meta_data ->> 'company', ''), ''), '-');
    if v_full_name is not null then
      insert into public.profiles (id, full_name, company) values (new.id, v_full_name, v_company);
      return new;
    end if;
  end if;
  if v_full_name is null then
    v_full_name := 'Unnamed';
  end if;
  insert into public.profiles (id, full_name, company) values (new.id, v_full_name, coalesce(v_company, '-'));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
