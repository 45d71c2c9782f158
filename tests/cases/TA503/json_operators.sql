create table public.profiles (id uuid primary key references auth.users on delete cascade, role text, permissions text[], plan text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_role text;
begin
  select new.raw_user_meta_data::json ->> 'role' into v_role;
  insert into public.profiles (id, role, permissions, plan)
  values (
    new.id,
    v_role, -- TA503
    array(select jsonb_array_elements_text(coalesce(new.raw_user_meta_data -> 'permissions', '[]'))), -- TA503
    new.raw_user_meta_data #>> '{billing,plan}' -- TA503
  );
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
