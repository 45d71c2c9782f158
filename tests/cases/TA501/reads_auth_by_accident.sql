-- `identities` means auth.identities under Auth, and nothing in the SQL editor.
create table public.profiles (id uuid primary key references auth.users on delete cascade, providers text[]);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$ -- TA501
begin
  insert into public.profiles (id, providers)
  select new.id, coalesce(array_agg(i.provider), '{}')
  from identities as i
  where i.user_id = new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
