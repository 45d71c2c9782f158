-- Prisma made "User"; without quotes the name is folded to lower case.
create table public."User" (
  "id" uuid primary key references auth.users on delete cascade,
  "email" text,
  "createdAt" timestamp(3) not null default current_timestamp
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.User (id, email) -- TA101
  values (new.id, new.email)
  on conflict (id) do nothing;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
