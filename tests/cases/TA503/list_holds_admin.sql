-- There is a list, and admin is in it.
create table public.profiles (id uuid primary key references auth.users on delete cascade, role text not null);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, role)
  values (
    new.id,
    case -- TA503
      when new.raw_user_meta_data ->> 'role' in ('reader', 'author', 'admin')
        then new.raw_user_meta_data ->> 'role'
      else 'reader'
    end
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
