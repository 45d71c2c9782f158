
<<outer_block>>
DECLARE
  i integer := 0;
  item record;
  tag text;
  tags text[] := ARRAY['a', 'b'];
BEGIN
  <<counting>>
  FOR n IN REVERSE 10..1 BY 2 LOOP
    CONTINUE counting WHEN n % 3 = 0;
    EXIT counting WHEN n < 2;
    i := i + n;
  END LOOP counting;
  WHILE i > 0 LOOP
    i := i - 1;
  END LOOP;
  FOR item IN SELECT id, name FROM public.teams WHERE owner = NEW.id ORDER BY name LOOP
    INSERT INTO public.team_log VALUES (item.id, item.name);
  END LOOP;
  FOREACH tag IN ARRAY tags LOOP
    PERFORM public.tag_user(NEW.id, tag);
  END LOOP;
  FOREACH tags SLICE 1 IN ARRAY ARRAY[ARRAY['x'], ARRAY['y']] LOOP
    RAISE DEBUG 'slice %', tags;
  END LOOP;
  FOR item IN EXECUTE 'SELECT * FROM ' || TG_TABLE_NAME || ' WHERE id = $1' USING NEW.id LOOP
    EXIT outer_block;
  END LOOP;
  RETURN NEW;
END outer_block;
