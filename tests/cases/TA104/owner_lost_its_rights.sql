-- SECURITY DEFINER does not help where the owner may not write.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
revoke all on public.profiles from service_role;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id); -- TA104
  return new;
end;
$$;
grant create on schema public to service_role;
alter function public.handle_new_user() owner to service_role;
revoke create on schema public from service_role;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
