create table public.profiles (id uuid primary key references auth.users on delete cascade, email text);
create table public.email_queue (
  id bigint generated always as identity primary key,
  recipient text,
  template text not null
);

create function public.enqueue_mail(p_recipient text, p_template text) returns void
language sql security definer set search_path = '' as $$
  insert into public.email_queue (recipient, template) values (p_recipient, p_template); -- TA301
$$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, email) values (new.id, new.email);
  perform public.enqueue_mail(new.email, 'welcome');
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
