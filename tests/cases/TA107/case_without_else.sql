create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  salutation text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, salutation)
  values (
    new.id,
    case new.raw_user_meta_data ->> 'gender' -- TA107
      when 'f' then 'Ms'
      when 'm' then 'Mr'
    end
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
