create function public.welcome() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.notifications (user_id, kind) values (new.id, 'welcome');
  return null;
exception when others then
  raise warning 'no welcome for %: %', new.id, sqlerrm;
  return null;
end;
$$;
create trigger profiles_welcome after insert on public.profiles
  for each row execute function public.welcome();
