-- The key goes through a variable that is assigned once.
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  username text not null,
  full_name text
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_username text;
begin
  v_username := lower(trim(new.raw_user_meta_data ->> 'username'));

  <<profile>>
  begin
    insert into public.profiles (id, username, full_name)
    values (
      new.id,
      v_username, -- TA107
      new.raw_user_meta_data ->> 'full_name'
    );
  end profile;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
