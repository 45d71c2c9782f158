alter table public.profiles add column role text not null default 'user';
create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.profiles (id, email, role)
  values (new.id, new.email, coalesce(new.raw_user_meta_data ->> 'role', 'user')); -- TA503
  return new;
end;
$$;
