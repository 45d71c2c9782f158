-- quiet
-- Safe: row variables, records from loops, FETCH, jsonb_populate_record, to_jsonb, array slices.
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text, tags text[]);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_user auth.users%rowtype;
  v_profile public.profiles;
  v_any record;
  v_cursor refcursor;
begin
  v_user := new;
  v_profile := jsonb_populate_record(null::public.profiles, coalesce(new.raw_user_meta_data, '{}'));
  v_profile.id := v_user.id;
  insert into public.profiles select v_profile.*;

  open v_cursor for select u.id, u.email from auth.users as u where u.id = new.id;
  fetch v_cursor into v_any;
  close v_cursor;

  update public.profiles as p
  set tags = (string_to_array(v_any.email, '@'))[1:1],
      full_name = coalesce(p.full_name, to_jsonb(new) ->> 'email')
  where p.id = v_any.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
