-- quiet
-- WHERE with NEW, a join, WHERE CURRENT OF, a temporary table, ON CONFLICT DO UPDATE, SELECT FOR UPDATE.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text, seen boolean not null default false);
create table public.invitations (id uuid primary key default gen_random_uuid(), email text, used boolean not null default false);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  open_invitations cursor (p_email text) for
    select i.id from public.invitations as i where i.email = p_email for update;
begin
  insert into public.profiles (id, email) values (new.id, new.email)
  on conflict (id) do update set seen = true;

  update public.invitations as i
  set used = true
  from public.profiles as p
  where p.id = new.id and p.email = i.email;

  for v_invitation in open_invitations (new.email) loop
    update public.invitations set used = true where current of open_invitations;
  end loop;

  create temporary table if not exists batch (id uuid) on commit drop;
  delete from batch;
  insert into batch values (new.id);

  perform p.id from public.profiles as p where p.id = new.id for update;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
