-- quiet
create table public.audit_log (id bigint generated always as identity, user_id uuid, note text);
create table public.metrics (day date primary key, sign_ups int not null);

create function public.in_sql(uuid) returns void language sql security definer set search_path = '' as $$
  -- trigger-audit: ignore TA301 the log must be whole
  insert into public.audit_log (user_id) values ($1);
$$;

create function public.whole_function() returns trigger
language plpgsql security definer set search_path = '' as $$
-- trigger-audit: ignore TA301 the log must be whole
begin
  insert into public.audit_log (user_id) values (new.id);
  insert into public.audit_log (user_id, note) values (new.id, 'again');
  return new;
end;
$$;

create function public.by_statement() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.email is not null then
    insert into public.audit_log (user_id) -- trigger-audit: ignore TA301 the log must be whole
    values (new.id);
  end if;
  /* trigger-audit: ignore TA301
     a number that is wrong is worse than none */
  if new.email is null then
    insert into public.metrics (day, sign_ups) values (current_date, 1)
      on conflict (day) do update set sign_ups = metrics.sign_ups + 1;
  else
    insert into public.metrics (day, sign_ups) values (current_date, 0) on conflict do nothing;
  end if;
  perform public.in_sql(new.id);
  begin
    insert into public.metrics (day, sign_ups) values ('2020-01-01', 1) on conflict do nothing;
  exception
    -- trigger-audit: ignore TA302 it may be there
    when others then
      null;
  end;
  return new;
end;
$$;

create trigger whole_function after insert on auth.users for each row execute function public.whole_function();
create trigger by_statement after insert on auth.users for each row execute function public.by_statement();
