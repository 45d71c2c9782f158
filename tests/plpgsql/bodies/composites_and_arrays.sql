
DECLARE
  parts text[];
  grid int[][];
  settings jsonb := '{}';
  rec record;
BEGIN
  parts := string_to_array(NEW.email, '@');
  parts[2] := lower(parts[2]);
  grid[1][2] := 3;
  grid[1:2] := ARRAY[1, 2];
  settings['theme'] := '"dark"';
  SELECT * INTO rec FROM public.defaults LIMIT 1;
  rec.name := parts[1];
  NEW.raw_user_meta_data := NEW.raw_user_meta_data || jsonb_build_object('settings', settings, 'n', cardinality(parts));
  RETURN NEW;
END;
