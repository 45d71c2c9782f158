-- latent: the last fallback is the address, which phone and anonymous users lack
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  username text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_username text := coalesce(
    new.raw_user_meta_data ->> 'username',
    new.raw_user_meta_data ->> 'user_name',
    split_part(new.email, '@', 1)
  );
begin
  insert into public.profiles (id, username)
  values (new.id, v_username); -- TA107
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
