create table public.settings (id boolean primary key default true, open boolean not null default true);
insert into public.settings default values;

create function public.gate() returns trigger
language plpgsql set search_path = '' as $$
begin
  if not (select s.open from public.settings as s) then -- TA104
    raise exception 'closed';
  end if;
  return new;
end;
$$;

create trigger gate before insert on auth.users
  for each row execute function public.gate();
