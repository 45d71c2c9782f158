-- quiet
create table public.orders (id bigint primary key);
create table public.audit_log (id bigint generated always as identity, what text);

create function public.log_it() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_table_name = 'orders' then
    -- trigger-audit: ignore TA301 an audit of public.orders finds it, this one cannot know
    insert into public.audit_log (what) values ('order');
  end if;
  return new;
end;
$$;

create trigger log_it after insert on auth.users for each row execute function public.log_it();
create trigger log_it after insert on public.orders for each row execute function public.log_it();
