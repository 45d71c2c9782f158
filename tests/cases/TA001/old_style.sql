-- quiet
-- Habits of older code: "=" for assignment, upper case, quoted body, ELSEIF, EXECUTE PROCEDURE, RETURN in brackets.
CREATE TABLE public."Members" ("userId" uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, "Kind" text);

CREATE FUNCTION public."registerMember"() RETURNS trigger LANGUAGE 'plpgsql' SECURITY DEFINER SET search_path TO ''
AS '
DECLARE
  kind ALIAS FOR TG_NAME;
  v_kind text;
BEGIN
  IF NEW.phone IS NOT NULL THEN v_kind = ''phone'';
  ELSEIF NEW.is_anonymous THEN v_kind = ''guest'';
  ELSIF kind <> '''' THEN v_kind = ''email'';
  END IF;
  INSERT INTO public."Members" VALUES (NEW.id, v_kind);
  RETURN (NEW);
END
';

CREATE TRIGGER "registerMember" AFTER INSERT ON auth.users FOR EACH ROW EXECUTE PROCEDURE public."registerMember"();
