-- quiet
-- Defaults, named and variadic arguments, overloads, implicit casts, polymorphic and built-in functions.
create table public.profiles (id uuid primary key references auth.users on delete cascade, label text, words integer);

create function public.label_of(p_email text, p_id uuid default null, p_suffix text default '') returns text
language sql immutable set search_path = '' as $$ select coalesce(p_email, p_id::text) || p_suffix $$;
create function public.label_of(p_number bigint) returns text
language sql immutable set search_path = '' as $$ select p_number::text $$;
create function public.count_words(variadic p_texts text[]) returns integer
language sql immutable set search_path = '' as $$ select cardinality(p_texts) $$;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_label text := public.label_of(new.email, p_suffix => '!', p_id => new.id);
begin
  insert into public.profiles (id, label, words)
  values (
    new.id,
    v_label || public.label_of(42),
    public.count_words(new.aud, new.role, 'x')
      + jsonb_array_length(coalesce(new.raw_app_meta_data -> 'providers', '[]'))
  );
  perform greatest(new.created_at, now()), array_agg(k) from jsonb_object_keys(new.raw_user_meta_data) as k;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
