-- The body sets the path before anything is looked up, so the name resolves; but it sets it for Auth too.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$ -- TA501
begin
  perform pg_catalog.set_config('search_path', 'public, auth', true);
  insert into profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
