create table public.profiles (id uuid primary key references auth.users on delete cascade, kind text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  case
    when new.phone is not null then
      insert into public.profiles (id, kind) values (new.id, 'phone');
      return new;
    when new.email is not null then
      insert into public.profiles (id, kind) values (new.id, 'email');
    else
      return new;
  end case;
end; -- TA114
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
