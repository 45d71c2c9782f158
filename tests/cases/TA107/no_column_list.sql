create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text not null, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles
  values (
    new.id,
    new.raw_user_meta_data #>> '{profile,full_name}', -- TA107
    new.email
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
