alter function public.count_sign_up() security definer set search_path = '';
