
begin
  perform set_config('search_path', 'public', true);
  perform * from profiles where id = new.id;
  if not found then
    insert into profiles default values;
  end if;
  return new;
end;
