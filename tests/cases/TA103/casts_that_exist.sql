-- quiet
-- Assignment casts: uuid into text, varchar into text, a literal into an enum, numbers, timestamps, json.
create type public.member_state as enum ('invited', 'active', 'left');
create table public.members (
  "userId" text primary key,
  "displayName" varchar(255),
  state public.member_state not null,
  joined date,
  level smallint,
  provider text,
  raw json,
  tags text[] default '{}'
);

create function public.add_member() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_row record;
  v_state public.member_state;
begin
  for v_row in
    select i.provider, count(*) as times from auth.identities as i where i.user_id = new.id group by i.provider
  loop
    raise debug '% %', v_row.provider, v_row.times;
  end loop;
  v_state := case when new.invited_at is not null then 'invited' else 'active' end;
  insert into public.members ("userId", "displayName", state, joined, level, provider, raw, tags)
  values (
    new.id, new.email, 'invited', new.created_at, 3::bigint,
    new.raw_app_meta_data -> 'providers' ->> 0, new.raw_user_meta_data, array[new.aud]
  )
  on conflict ("userId") do update set state = v_state;
  update public.members set state = v_state, tags[2] = 'seen' where "userId" = new.id::text;
  return new;
end;
$$;

create trigger add_member after insert on auth.users
  for each row execute function public.add_member();
