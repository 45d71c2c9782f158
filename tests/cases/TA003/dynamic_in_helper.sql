create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.notes (user_id uuid primary key references auth.users on delete cascade, body text);

create function public.seed(p_table text, p_user uuid) returns void
language plpgsql set search_path = '' as $$
begin
  execute 'insert into public.' || quote_ident(p_table) -- TA003
    || ' (user_id, body) values (' || quote_literal(p_user) || ', ''Welcome'')';
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  perform public.seed('notes', new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
