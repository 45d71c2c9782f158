-- uncertain: the function assigns slug itself, so whether its test of slug holds counts as a matter of data
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text,
  slug text
);

create function public.set_profile_slug() returns trigger
language plpgsql as $$
declare
  v_base text := lower(regexp_replace(coalesce(new.full_name, 'user'), '\W+', '-', 'g'));
  v_same integer;
begin
  if new.slug is null then
    select count(*)
    into v_same
    from profiles as p -- TA101
    where p.slug like v_base || '%';

    new.slug := v_base || case when v_same > 0 then '-' || (v_same + 1) else '' end;
  end if;
  return new;
end;
$$;

create trigger set_profile_slug before insert on public.profiles
  for each row execute function public.set_profile_slug();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data ->> 'full_name');
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
