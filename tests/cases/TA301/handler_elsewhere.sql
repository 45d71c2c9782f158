-- There is a handler, but around the profile; the notification stands behind it.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.notifications (
  id bigint generated always as identity primary key,
  user_id uuid references auth.users on delete cascade,
  body text
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when unique_violation then
    update public.profiles set id = id where id = new.id;
  end;
  insert into public.notifications (user_id, body) values (new.id, 'Welcome'); -- TA301
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
