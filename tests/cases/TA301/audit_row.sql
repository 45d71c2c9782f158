-- The audit row stands in a branch, two blocks deep, with no handler around it.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.audit_log (
  id bigint generated always as identity primary key,
  action text not null,
  detail jsonb
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);

  if new.invited_at is null then
    begin
      insert into public.audit_log (action, detail) -- TA301
      values ('signed up', jsonb_build_object('id', new.id));
    end;
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
