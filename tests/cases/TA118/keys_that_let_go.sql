-- quiet
-- CASCADE, SET NULL where NULL is allowed, SET DEFAULT with a default, and keys outside what a deletion touches.
create table public.countries (code text primary key);
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  country text references public.countries
);
create table public.posts (
  id bigint generated always as identity primary key,
  author_id uuid references auth.users on delete set null,
  owner_id uuid default null references public.profiles on delete set default
);
create table public.comments (
  id bigint generated always as identity primary key,
  post_id bigint not null references public.posts on delete restrict,
  profile_id uuid references public.profiles on delete cascade
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_post bigint;
begin
  insert into public.profiles (id) values (new.id);
  insert into public.posts (author_id, owner_id) values (new.id, new.id) returning id into v_post;
  insert into public.comments (post_id, profile_id) values (v_post, new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
