
declare
  base text := regexp_replace(lower(split_part(new.email, '@', 1)), '[^a-z0-9]+', '-', 'g');
  candidate text;
  attempt integer := 0;
begin
  candidate := base;
  loop
    begin
      insert into public.profiles (id, slug) values (new.id, candidate);
      exit;
    exception
      when unique_violation then
        attempt := attempt + 1;
        if attempt > 20 then
          raise;
        end if;
        candidate := base || '-' || attempt::text;
    end;
  end loop;
  return new;
end;
