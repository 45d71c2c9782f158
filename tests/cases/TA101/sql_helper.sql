-- A helper in SQL takes the path of its caller, and the caller that of Auth.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.wallets (user_id uuid primary key references auth.users on delete cascade, cents bigint not null default 0);

create function public.open_wallet(p_user uuid, p_gift bigint default 0) returns void
language sql as $$
  insert into wallets (user_id, cents) -- TA101
  values (p_user, p_gift)
  on conflict do nothing;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  insert into public.profiles (id) values (new.id);
  perform public.open_wallet(new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
