drop trigger block_mail on auth.users;
drop function public.block_mail();
