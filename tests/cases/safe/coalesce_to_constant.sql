-- quiet
-- Safe: the last fallback is a constant.
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text not null, login text not null);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name, login)
  values (
    new.id,
    coalesce(new.raw_user_meta_data ->> 'full_name', new.raw_user_meta_data ->> 'name', 'Unnamed'),
    coalesce(new.email, new.phone, 'guest-' || new.id::text)
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
