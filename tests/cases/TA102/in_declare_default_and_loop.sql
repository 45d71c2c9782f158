create table public.profiles (id uuid primary key references auth.users on delete cascade, code text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_code text := '';
begin
  for i in 1 .. code_length() loop -- TA102
    v_code := v_code || chr(65 + floor(random() * 26)::int);
  end loop;
  insert into public.profiles (id, code) values (new.id, v_code);
  return new;
end;
$$;

create function public.code_length() returns integer language sql immutable as $$ select 6 $$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
