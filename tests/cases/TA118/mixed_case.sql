create table public."User" ("id" uuid primary key references auth.users on delete cascade);
create table public."Session" (
  "token" text primary key,
  "userId" uuid not null,
  constraint "Session_userId_fkey" foreign key ("userId") references public."User" ("id") on delete no action -- TA118
);

create function public."handleNewUser"() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public."User" ("id") values (new.id);
  insert into public."Session" ("token", "userId") values (md5(new.id::text), new.id);
  return new;
end;
$$;

create trigger "onAuthUserCreated" after insert on auth.users
  for each row execute function public."handleNewUser"();
