-- quiet
-- The first way returns when it works; so what follows is for its failure, and the last one speaks.
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    insert into public.profiles (id, email) values (new.id, new.email);
    return new;
  exception when others then
    null;
  end;

  begin
    insert into public.profiles (id) values (new.id);
    return new;
  exception when others then
    raise log 'second way failed too: %', sqlerrm;
    return new;
  end;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
