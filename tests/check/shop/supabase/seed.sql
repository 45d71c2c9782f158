insert into public.tags (name) values ('new'), ('sale');
