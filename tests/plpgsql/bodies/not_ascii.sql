
declare
  größe text := 'naïve — “quoted”';
  名前 text;
begin
  名前 := größe || '✓';
  raise notice '名前 is %', 名前;
  new.raw_user_meta_data := jsonb_build_object('ключ', größe);
  return new;
end;
