alter table public.devices drop constraint devices_of_user;
alter table public.devices add foreign key (user_id) references auth.users (id) on delete cascade;
