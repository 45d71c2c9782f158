-- hidden: WHEN not_null_violation hides it, users without a name get no profile
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text not null);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, initcap(new.raw_user_meta_data ->> 'full_name')); -- TA107
  return new;
exception
  when unique_violation then
    raise;
  when not_null_violation or check_violation then
    raise warning 'profile of % is incomplete', new.id;
    return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
