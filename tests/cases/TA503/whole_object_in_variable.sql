-- The metadata is first put into a variable, and the key is read by a function.
create table public.members (
  user_id uuid primary key references auth.users on delete cascade,
  access_level text not null default 'basic'
);

create function public.add_member() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_meta jsonb := coalesce(new.raw_user_meta_data, '{}'::jsonb);
begin
  if jsonb_extract_path_text(v_meta, 'access_level') is not null then
    insert into public.members (user_id, access_level)
    values (new.id, jsonb_extract_path_text(v_meta, 'access_level')); -- TA503
  else
    insert into public.members (user_id) values (new.id);
  end if;
  return new;
end;
$$;

create trigger add_member after insert on auth.users
  for each row execute function public.add_member();
