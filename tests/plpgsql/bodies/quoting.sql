
declare
  "Weird ""Name""" text := 'it''s; end';
  "select" text = E'back\\slash \' quote';
  body text := $fn$begin; return 'x'; end$fn$;
begin
  "Weird ""Name""" := $$;$$ || "select";
  NEW."camelCase" := body;
  execute $x$ insert into "Some Table" ("Col;umn") values ($1) $x$ using "Weird ""Name""";
  return new;
end;
