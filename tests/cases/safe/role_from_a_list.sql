-- quiet
-- Safe: the list holds no privileged value, and neither do the enum and the CHECK.
create type public.club_role as enum ('member', 'guest');
create table public.profiles (id uuid primary key references auth.users on delete cascade,
  role text not null,
  club_role public.club_role,
  user_role text check (user_role in ('client', 'freelancer'))
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, role, club_role, user_role)
  values (
    new.id,
    case when new.raw_user_meta_data ->> 'role' in ('buyer', 'seller') then new.raw_user_meta_data ->> 'role' else 'buyer' end,
    (case when new.raw_user_meta_data ->> 'role' = 'guest' then 'guest' else 'member' end)::public.club_role,
    case when new.raw_user_meta_data ->> 'role' in ('client', 'freelancer') then new.raw_user_meta_data ->> 'role' end
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
