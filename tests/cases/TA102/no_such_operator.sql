create table public.invites (id uuid primary key default gen_random_uuid(), code text, used_by uuid);

create function public.use_invite() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.invites
  set used_by = new.id
  where id = new.raw_user_meta_data ->> 'invite'; -- TA102
  return new;
end;
$$;

create trigger use_invite after insert on auth.users
  for each row execute function public.use_invite();
