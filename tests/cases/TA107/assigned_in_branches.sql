-- The variable gets a value in one branch only.
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text not null);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_full_name text;
begin
  if new.raw_user_meta_data ? 'full_name' then
    v_full_name := new.raw_user_meta_data ->> 'full_name';
  end if;
  insert into public.profiles (id, full_name) values (new.id, v_full_name); -- TA107
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
