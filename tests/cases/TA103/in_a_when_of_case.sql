-- A column of the joined table is gone, deep in an expression.
create table public.plans (code text primary key, trial_days integer not null);
insert into public.plans values ('free', 0);
create table public.accounts (id uuid primary key references auth.users on delete cascade, ends_on date, label text);

create function public.open_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (id, ends_on, label)
  select
    new.id,
    current_date + plans.trial_days,
    case
      when plans.trial_days > 0 then 'trial'
      when plans.monthly_price > 0 then 'paid' -- TA103
      else 'free'
    end
  from public.plans
  where plans.code = 'free';
  return new;
end;
$$;

create trigger open_account after insert on auth.users
  for each row execute function public.open_account();
