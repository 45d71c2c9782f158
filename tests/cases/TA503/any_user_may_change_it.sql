-- Not the sign-up: every signed-in user may write raw_user_meta_data later, and the trigger follows.
-- not smoked: there is no profile yet that the sign-up could change
create table public.profiles (id uuid primary key references auth.users on delete cascade, plan text not null default 'free');

create function public.sync_plan() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles
  set plan = coalesce(new.raw_user_meta_data ->> 'plan', plan) -- TA503
  where id = new.id;
  return new;
end;
$$;

create trigger sync_plan after update of raw_user_meta_data on auth.users
  for each row execute function public.sync_plan();
