create table public.profiles (id uuid primary key references auth.users on delete cascade, email text not null);
create table public.memberships (user_id uuid references auth.users);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  insert into profiles (id, email) values (new.id, new.email);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
