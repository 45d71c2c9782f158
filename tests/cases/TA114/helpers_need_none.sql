-- quiet
-- A void helper needs no RETURN, a function with OUT parameters none either; a handler that raises again needs none.
create table public.profiles (id uuid primary key references auth.users on delete cascade, label text);

create function public.split_label(p_text text, out head text, out tail text)
language plpgsql set search_path = '' as $$
begin
  head := split_part(p_text, '@', 1);
  tail := split_part(p_text, '@', 2);
end;
$$;

create function public.make_profile(p_id uuid, p_email text) returns void
language plpgsql set search_path = '' as $$
declare
  v_head text;
begin
  select s.head into v_head from public.split_label(p_email) as s;
  insert into public.profiles (id, label) values (p_id, v_head);
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform public.make_profile(new.id, new.email);
  return new;
exception
  when unique_violation then
    raise exception 'profile % exists', new.id using errcode = 'unique_violation';
  when others then
    raise;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
