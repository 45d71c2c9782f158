comment on table public.profiles is 'One row a user, made by on_auth_user_created';
comment on function public.handle_new_user() is 'Makes the profile';
