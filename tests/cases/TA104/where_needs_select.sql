-- UPDATE was granted; the WHERE reads a column, which needs SELECT.
create table public.leads (email text primary key, user_id uuid);
grant update on public.leads to supabase_auth_admin;

create function public.link_lead() returns trigger
language plpgsql set search_path = '' as $$
begin
  update public.leads set user_id = new.id where email = new.email; -- TA104
  return new;
end;
$$;

create trigger link_lead after insert on auth.users
  for each row execute function public.link_lead();
