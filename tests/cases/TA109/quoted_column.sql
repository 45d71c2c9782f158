create table public."Profile" ("id" text primary key, "userId" uuid not null references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public."Profile" ("id", "userId") values (gen_random_uuid(), new.id)
  on conflict ("userId") do nothing; -- TA109
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
