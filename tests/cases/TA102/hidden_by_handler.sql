-- hidden: the handler turns a broken helper call into a warning
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.send_welcome(p_user uuid) returns void
language plpgsql set search_path = '' as $$
begin
  raise log 'welcome %', p_user;
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  begin
    perform send_welcome(new.id); -- TA102
  exception when others then
    raise warning 'welcome not sent: % (%)', sqlerrm, sqlstate;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
