-- quiet
-- Safe: nullif before the cast of a date, a list before the cast to an enum.
create type public.pronoun as enum ('she', 'he', 'they');
create table public.profiles (id uuid primary key references auth.users on delete cascade, born_on date, pronoun public.pronoun not null);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, born_on, pronoun)
  values (
    new.id,
    nullif(new.raw_user_meta_data ->> 'born_on', '')::date,
    case
      when new.raw_user_meta_data ->> 'pronoun' in ('she', 'he')
        then (new.raw_user_meta_data ->> 'pronoun')::public.pronoun
      else 'they'
    end
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
