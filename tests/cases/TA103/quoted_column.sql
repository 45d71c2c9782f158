-- Prisma's "createdAt": without quotes it is another name.
create table public."Profile" (
  "id" uuid primary key references auth.users on delete cascade,
  "createdAt" timestamp(3) not null default current_timestamp
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public."Profile" (id, createdAt) -- TA103
  values (new.id, new.created_at);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
