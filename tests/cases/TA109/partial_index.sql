-- The only unique index is partial, and the target does not repeat its predicate.
create table public.subscriptions (
  id bigint generated always as identity primary key,
  user_id uuid not null references auth.users on delete cascade,
  ended_at timestamptz
);
create unique index one_running_subscription on public.subscriptions (user_id) where ended_at is null;

create function public.start_subscription() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.subscriptions (user_id)
  values (new.id)
  on conflict (user_id) do update -- TA109
    set ended_at = null;
  return new;
end;
$$;

create trigger start_subscription after insert on auth.users
  for each row execute function public.start_subscription();
