-- quiet
-- The profile may fail the sign-up; the audit row, the mail and the counter may not.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.audit_log (id bigint generated always as identity primary key, action text);
create table public.email_queue (id bigint generated always as identity primary key, recipient text);
create table public.counters (name text primary key, value bigint not null default 0);

create function public.enqueue_mail(p_recipient text) returns void
language sql security definer set search_path = '' as $$
  insert into public.email_queue (recipient) values (p_recipient);
$$;

create function public.count_profile() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.counters set value = value + 1 where name = 'profiles';
  return null;
exception when others then
  raise warning 'not counted: %', sqlerrm;
  return null;
end;
$$;
create trigger count_profile after insert on public.profiles
  for each row execute function public.count_profile();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  begin
    insert into public.audit_log (action) values ('signed up');
    perform public.enqueue_mail(new.email);
  exception when others then
    raise warning 'audit or mail of % failed: %', new.id, sqlerrm;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
