-- The definer's rights end where the invoker function begins: the trigger itself is invoker, so is the helper.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.make_profile(p_id uuid) returns void
language sql set search_path = '' as $$
  insert into public.profiles (id) values (p_id); -- TA104
$$;

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform public.make_profile(new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
