-- NOTICE and INFO go to Auth, which drops them; what GET STACKED DIAGNOSTICS fetches is looked at by nobody.
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.wallets (user_id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_message text;
begin
  begin
    insert into public.profiles (id) values (new.id);
  exception when others then -- TA302
    get stacked diagnostics v_message = message_text;
    raise notice 'no profile: %', v_message;
    raise info 'really';
  end;
  begin
    insert into public.wallets (user_id) values (new.id);
  exception when unique_violation or others then -- TA302
    raise debug 'no wallet: % %', sqlstate, sqlerrm;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
