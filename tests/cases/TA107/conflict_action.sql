-- The INSERT would use a fallback; the update of an existing row does not.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text not null
);

create function public.first_row() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name) values (new.id, '');
  return new;
end;
$$;

create function public.second_row() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'full_name', ''))
  on conflict (id) do update
    set full_name = new.raw_user_meta_data ->> 'full_name'; -- TA107
  return new;
end;
$$;

create trigger a_first_row after insert on auth.users
  for each row execute function public.first_row();
create trigger b_second_row after insert on auth.users
  for each row execute function public.second_row();
