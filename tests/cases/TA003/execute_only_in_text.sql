-- quiet
-- The word stands in a comment and in a string; EXECUTE FUNCTION is not EXECUTE.
create table public.profiles (id uuid primary key references auth.users on delete cascade, hint text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- execute format('drop table %I', tg_argv[0]);
  insert into public.profiles (id, hint) values (new.id, 'execute your plan; begin today');
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
