-- Two handlers around the call, and none hides it: one is for a duplicate, the other lets out all that it does not name.
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.make_profile(p_user uuid) returns void
language plpgsql as $$
begin
  insert into profiles (id) values (p_user); -- TA101
end;
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  begin
    perform public.make_profile(new.id);
  exception
    when unique_violation then
      null;
    when others then
      if sqlstate = '23503' then
        return new;
      end if;
      raise log 'no profile for %', new.id;
      raise;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
