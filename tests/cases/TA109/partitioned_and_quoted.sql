-- quiet
-- The unique index of a partitioned table, and mixed-case columns.
create table public."Seats" (
  "teamId" text not null,
  "userId" uuid not null references auth.users on delete cascade,
  constraint "Seats_teamId_userId_key" unique ("teamId", "userId")
) partition by list ("teamId");
create table public."Seats_default" partition of public."Seats" default;

create function public."takeSeat"() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public."Seats" ("teamId", "userId") values ('home', new.id)
  on conflict ("teamId", "userId") do nothing;
  return new;
end;
$$;

create trigger "takeSeat" after insert on auth.users
  for each row execute function public."takeSeat"();
