-- quiet
-- Every spelling of a pinned path.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.settings (user_id uuid primary key references auth.users on delete cascade);

create function public.make_profile() returns trigger
language plpgsql security definer set search_path to public, pg_temp as $$
begin
  insert into profiles (id) values (new.id);
  return new;
end;
$$;
create function public.make_settings() returns trigger
language plpgsql security definer as $$
begin
  insert into settings (user_id) values (new.id);
  return new;
end;
$$;
alter function public.make_settings() set search_path = "public";

create trigger make_profile after insert on auth.users for each row execute function public.make_profile();
create trigger make_settings after insert on auth.users for each row execute function public.make_settings();
