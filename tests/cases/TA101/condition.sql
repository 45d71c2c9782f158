-- Names in an IF condition and in the arguments of RAISE are looked up too.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  raise debug '% waiting', (select count(*) from public.waiting_list); -- TA101
  if exists (select from public.blocked_domains as b where b.domain = split_part(new.email, '@', 2)) then -- TA101
    raise exception 'this domain is blocked';
  end if;
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
