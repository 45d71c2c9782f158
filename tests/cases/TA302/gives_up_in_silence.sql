-- Three tries, and then the user is let in without a profile.
create table public.profiles (id uuid primary key references auth.users on delete cascade, username text unique);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  for v_try in 1 .. 3 loop
    begin
      insert into public.profiles (id, username) values (new.id, 'user-' || left(md5(random()::text), 6));
      return new;
    exception when others then -- TA302
      null;
    end;
  end loop;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
