-- @updatedAt is filled by the ORM, not by the database.
create table public."User" (
  "id" uuid primary key references auth.users on delete cascade,
  "email" text,
  "createdAt" timestamp(3) not null default current_timestamp,
  "updatedAt" timestamp(3) not null
);

create function public."handleNewUser"() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public."User" ("id", "email") -- TA106
  values (new.id, new.email);
  return new;
end;
$$;

create trigger "onAuthUserCreated" after insert on auth.users
  for each row execute function public."handleNewUser"();
