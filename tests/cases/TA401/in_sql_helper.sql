create table public.profiles (id uuid primary key references auth.users on delete cascade, rank integer);

create function public.rank_profiles() returns void
language sql security definer set search_path = '' as $$
  update public.profiles as p -- TA401
  set rank = coalesce(p.rank, 0) + 1
  where 1 = 1;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  perform public.rank_profiles();
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
