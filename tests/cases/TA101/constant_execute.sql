-- Dynamic in form only: the text is a constant, and the table it names is not on the path.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  execute 'insert into profiles (id) values ($1)' using new.id; -- TA101
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
