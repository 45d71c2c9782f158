-- quiet
-- Lists, an enum and a CHECK without privileged values; constants chosen by the key.
create type public.course_role as enum ('student', 'guest');
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  role text not null,
  course_role public.course_role not null,
  plan text not null check (plan in ('free', 'trial')),
  tier text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_role text := new.raw_user_meta_data ->> 'role';
begin
  if v_role is null or v_role not in ('reader', 'author') then
    v_role := 'reader';
  end if;
  insert into public.profiles (id, role, course_role, plan, tier)
  values (
    new.id,
    v_role,
    case when new.raw_user_meta_data ->> 'role' = 'guest' then 'guest' else 'student' end::public.course_role,
    'free',
    case new.raw_user_meta_data ->> 'source' when 'partner' then 'silver' else 'bronze' end
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
