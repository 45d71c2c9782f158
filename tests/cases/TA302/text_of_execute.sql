-- The table is the trigger's argument; that it is an INSERT can be read.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.make_row() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  execute format('insert into public.%I (id) values ($1)', tg_argv[0]) using new.id;
  return new;
exception when others then -- TA302
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.make_row('profiles');
