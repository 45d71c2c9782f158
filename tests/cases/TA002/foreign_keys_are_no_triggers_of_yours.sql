-- quiet
-- Foreign keys are triggers in C inside the server, and every built-in function is C too: none of them is meant.
create table public.teams (id uuid primary key default gen_random_uuid(), name text not null);
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  team_id uuid references public.teams on delete set null,
  slug text not null
);

create function public.slug_of(p_text text) returns text
language sql immutable set search_path = '' as $$
  select trim(both '-' from regexp_replace(lower(p_text), '[^a-z0-9]+', '-', 'g'));
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_team uuid;
begin
  insert into public.teams (name) values ('Personal') returning id into v_team;
  insert into public.profiles (id, team_id, slug)
  values (new.id, v_team, public.slug_of(coalesce(new.email, new.id::text)));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
