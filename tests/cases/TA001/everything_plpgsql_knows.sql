-- quiet
-- Labels, loops, cursors, CASE, quoting, compiler options: unusual, and sound.
create table public.profiles (id uuid primary key references auth.users on delete cascade, handle text, tags text[]);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $handler$
#variable_conflict use_column
<<handler>>
declare
  v_handle text := lower(split_part(coalesce(new.email, ''), '@', 1));
  v_tags constant text[] = array['new', $tag$it's "quoted"$tag$, E'tab\tand;semicolon'];
  v_tag text;
  v_kept text[] := '{}';
  v_count integer := 0;
  taken cursor (p_handle text) for
    select p.id from public.profiles as p where p.handle = p_handle;
  v_other uuid;
begin
  /* a comment with ; and -- and
     select from nowhere */
  <<candidates>>
  loop
    v_count = v_count + 1;
    open taken (handler.v_handle || case when v_count > 1 then v_count::text else '' end);
    fetch next from taken into v_other;
    exit candidates when not found;
    close taken;
    continue when v_count < 20;
    raise notice using message = 'no handle left', hint = 'choose one later';
    v_handle := v_handle || '-' || left(new.id::text, 8);
    exit;
  end loop candidates;

  foreach v_tag in array v_tags
  loop
    case v_tag
      when 'old', 'older' then
        null;
      when 'new' then
        v_kept := v_kept || v_tag;
      else
        v_kept[cardinality(v_kept) + 1] := left(v_tag, 20);
    end case;
  end loop;

  for i in reverse 3 .. 1 by 2 loop
    continue when i = 2;
    perform pg_catalog.length('step ' || i);
  end loop;

  insert into public.profiles (id, handle, tags)
  values (new.id, v_handle || case when v_count > 1 then v_count::text else '' end, v_kept);
  get diagnostics v_count = row_count;
  assert v_count = 1, 'one row';
  return new;
end handler;
$handler$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
