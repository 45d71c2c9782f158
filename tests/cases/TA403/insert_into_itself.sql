-- A row for the user makes a row for the user ...
create table public.nodes (
  id bigint generated always as identity primary key,
  owner_id uuid references auth.users on delete cascade,
  depth integer not null default 0
);

create function public.add_child_node() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.nodes (owner_id, depth) values (new.owner_id, new.depth + 1); -- TA403
  return new;
end;
$$;

create trigger add_child_node after insert on public.nodes
  for each row execute function public.add_child_node();

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.nodes (owner_id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
