create table public.devices (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.profiles (id)
);
alter table public.devices add constraint devices_of_user foreign key (user_id) references auth.users (id); -- TA118
alter table public.devices drop constraint devices_user_id_fkey;
