alter table public.preferences alter column theme set default 'light';
