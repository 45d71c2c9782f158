create table public.patients (
  user_id uuid primary key references auth.users on delete cascade,
  born_on date not null
);

create function public.add_patient() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.patients (user_id, born_on)
  values (new.id, (new.raw_user_meta_data ->> 'birth_date')::date); -- TA107
  return new;
end;
$$;

create trigger add_patient after insert on auth.users
  for each row execute function public.add_patient();
