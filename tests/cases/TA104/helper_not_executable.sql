create table public.profiles (id uuid primary key references auth.users on delete cascade, slug text);
grant insert on public.profiles to supabase_auth_admin;

create function public.slug_of(p_text text) returns text
language sql immutable set search_path = '' as $$ select lower(p_text) $$;
revoke execute on function public.slug_of(text) from public, anon, authenticated, service_role, supabase_auth_admin;

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id, slug) values (new.id, public.slug_of(new.email)); -- TA104
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
