create function public.count_sign_up() returns trigger
language plpgsql -- as the one who signs up, which is Auth
as $$
begin
  insert into private.secrets (name, value) values ('last', new.id::text) -- TA104
  on conflict (name) do update set value = excluded.value;
  return null;
end;
$$;

create trigger on_auth_user_counted after insert on auth.users
  for each row execute function public.count_sign_up();
