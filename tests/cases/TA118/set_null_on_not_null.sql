create table public.documents (
  id bigint generated always as identity primary key,
  author_id uuid not null references auth.users on delete set null, -- TA118
  title text not null
);

create function public.first_document() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.documents (author_id, title) values (new.id, 'Welcome');
  return new;
end;
$$;

create trigger first_document after insert on auth.users
  for each row execute function public.first_document();
