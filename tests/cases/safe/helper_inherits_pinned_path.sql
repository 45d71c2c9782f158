-- quiet
-- Safe: a helper without a path takes that of its caller, which is pinned to public.
create table public.profiles (id uuid primary key references auth.users on delete cascade, slug text);

create function public.slugify(p_text text) returns text
language sql stable as $$ select lower(regexp_replace(p_text, '\s+', '-', 'g')) $$;

create function public.make_profile(p_id uuid, p_text text) returns void
language plpgsql as $$
begin
  insert into profiles (id, slug) values (p_id, slugify(p_text));
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  perform make_profile(new.id, coalesce(new.email, 'guest'));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
