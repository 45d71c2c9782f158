create function public.block_mail() returns trigger
language plpgsql
as $$
begin
  if new.email like '%@example.invalid' then
    return new;
  end if;
end; -- TA114
$$;
create trigger block_mail before insert on auth.users
  for each row execute function public.block_mail();
