-- quiet
-- concat, concat_ws, format, coalesce, jsonb_build_object, count and string_agg with a fallback are never NULL.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text not null,
  label text not null,
  initials text not null,
  data jsonb not null,
  place bigint not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name, label, initials, data, place)
  values (
    new.id,
    concat_ws(' ', new.raw_user_meta_data ->> 'first_name', new.raw_user_meta_data ->> 'last_name'),
    concat('user ', new.email),
    format('%s.', left(coalesce(nullif(new.raw_user_meta_data ->> 'first_name', ''), new.email, '?'), 1)),
    jsonb_build_object('email', new.email, 'phone', new.phone),
    (select count(*) + 1 from public.profiles)
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
