-- latent: the address is there in every e-mail sign-up; phone and anonymous users have none
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  email text not null,
  full_name text
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email, full_name)
  values (new.id, new.email, new.raw_user_meta_data ->> 'full_name'); -- TA107
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
