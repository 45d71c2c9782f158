create table public.notification_preferences (
  user_id uuid not null references auth.users on delete cascade,
  channel text not null,
  enabled boolean not null,
  primary key (user_id, channel)
);

create function public.add_preferences() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.notification_preferences (user_id, channel, enabled)
  values
    (new.id, 'email', true),
    (new.id, 'sms', null), -- TA106
    (new.id, 'push', false);
  return new;
end;
$$;

create trigger add_preferences after insert on auth.users
  for each row execute function public.add_preferences();
