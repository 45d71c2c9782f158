-- Two tables lack, one named in a sub-select, one in a loop: two faults. The second line of the first is no third.
create table public.profiles (id uuid primary key references auth.users on delete cascade, invited_by uuid);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = 'public' as $$
declare
  v_default record;
begin
  insert into profiles (id, invited_by)
  values (
    new.id,
    (select i.inviter_id
     from invitations as i -- TA101
     where lower(i.email) = lower(new.email)
     order by i.created_at desc
     limit 1)
  );

  for v_default in
    select d.key, d.value from default_settings as d -- TA101
  loop
    raise debug '% = %', v_default.key, v_default.value;
  end loop;

  delete from invitations where lower(email) = lower(new.email);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
