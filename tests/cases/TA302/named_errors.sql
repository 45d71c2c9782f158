-- quiet
-- What is expected is caught by its name: a duplicate, a table that not every installation has.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.coupons (user_id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when unique_violation then
    null;
  end;
  begin
    insert into public.coupons (user_id) values (new.id);
  exception when sqlstate '23505' or foreign_key_violation then
    null;
  end;
  begin
    insert into public.plugin_users (user_id) values (new.id);
  exception when undefined_table then
    null;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
