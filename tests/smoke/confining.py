"""Code that wants to leave Auth's role in whatever way it can, and how the tests see that it did not.

Each attempt, wherever it runs, is followed by nextval on a sequence that Auth's role has no right to: it stays at what
it was, whatever is rolled back.
"""

from __future__ import annotations

from pathlib import Path

from tests.conftest import FreshDatabase
from tests.smoke.conftest import connect, users
from trigger_audit.smoke.model import By, SmokeReport
from trigger_audit.smoke.runner import run_smoke

ATTEMPTS = (
    "PERFORM set_config(parameter, login, true)",
    "PERFORM set_config(E'session\\x5fauthorization', login, false)",
    "PERFORM set_config('role', login, true)",
    "PERFORM set_config('ro' || 'le', 'none', true)",
    "SET /* a comment */ SESSION\n AUTHORIZATION DEFAULT",
    "SET LOCAL SESSION AUTHORIZATION DEFAULT",
    'SET "session_authorization" = DEFAULT',
    "RESET SESSION AUTHORIZATION",
    "RESET ROLE",
    "SET ROLE NONE",
    "SET LOCAL ROLE NONE",
    "EXECUTE 'SET SESS' || 'ION AUTHORIZATION ' || 'DEFAULT'",
    "EXECUTE convert_from('\\x524553455420524f4c45', 'UTF8')",
    "EXECUTE 'DO $do$ BEGIN RESET SESSION AUTHORIZATION; END $do$'",
    "UPDATE pg_settings SET setting = login WHERE name IN ('role', 'session_authorization')",
    "PERFORM public.with_setting()",
    "CALL public.leaving()",
)

# Commits, follow-ups, reads of each kind and a deletion are in these.
FLOWS = ["signup-email", "verify-signup", "login", "delete-user"]

ATTACK = """
CREATE SEQUENCE public.escaped;
REVOKE ALL ON SEQUENCE public.escaped FROM PUBLIC;
CREATE FUNCTION public.with_setting() RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN PERFORM nextval('public.escaped'); END $$;
DO $$ BEGIN EXECUTE format('ALTER FUNCTION public.with_setting() SET role = %L', current_user); END $$;
CREATE PROCEDURE public.leaving() LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RESET SESSION AUTHORIZATION; END $$;
CREATE FUNCTION public.attack() RETURNS boolean LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  parameter text := 'session_' || 'authorization';
  login text := '{login}';
BEGIN
  IF pg_catalog.current_setting('audit.attacking', true) = 'yes' THEN RETURN true; END IF;
  PERFORM set_config('audit.attacking', 'yes', true);
  {attempts}
  PERFORM set_config('audit.attacking', 'no', true);
  RETURN true;
END $$;
CREATE FUNCTION public.attacking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.attack();
  RETURN NULL;
END $$;
"""

PAYLOAD = """
  BEGIN
    PERFORM nextval('public.escaped');
  EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN
    COPY (SELECT 1) TO PROGRAM 'touch {folder}/written';
  EXCEPTION WHEN OTHERS THEN NULL; END;
"""


OPERATORS = """
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
DO $do$
DECLARE pair text[];
BEGIN
  FOREACH pair SLICE 1 IN ARRAY ARRAY[
    ['int4', 'int4'], ['oid', 'oid'], ['name', 'text'], ['name', 'name'], ['text', 'text'], ['uuid', 'uuid'],
    ['bool', 'bool'], ['"char"', '"char"'], ['varchar', 'text'], ['varchar', 'varchar']
  ] LOOP
    EXECUTE format('CREATE FUNCTION evil.same(%1$s, %2$s) RETURNS bool LANGUAGE plpgsql AS
      $f$ BEGIN PERFORM public.attack(); RETURN $1 OPERATOR(pg_catalog.=) $2; END $f$', pair[1], pair[2]);
    EXECUTE format('CREATE OPERATOR evil.= (FUNCTION = evil.same, LEFTARG = %s, RIGHTARG = %s)', pair[1], pair[2]);
  END LOOP;
END $do$;
"""


def attack(login: str, folder: Path) -> str:
    payload = PAYLOAD.replace("{folder}", str(folder))
    attempts = "".join(f"\n  BEGIN {attempt}; EXCEPTION WHEN OTHERS THEN NULL; END; {payload}" for attempt in ATTEMPTS)
    return ATTACK.replace("{attempts}", attempts).replace("{login}", login)


def smoke(database: FreshDatabase, login: str, flows: list[str] | None = None) -> SmokeReport:
    with connect(database, login) as connection:
        report = run_smoke(connection, flows=flows, hazards=(), allow_side_effects=True, target={})
    assert report.session.by is (By.SET_ROLE if login == "postgres" else By.SESSION_AUTHORIZATION)
    assert users(database) == 0
    return report


def assert_confined(database: FreshDatabase, folder: Path) -> None:
    with connect(database) as connection:
        connection.execute("SET search_path TO pg_catalog")
        row = connection.execute("SELECT last_value, is_called FROM public.escaped").fetchone()
    assert row == (1, False)
    assert not list(folder.iterdir())


def apply(database: FreshDatabase, text: str) -> None:
    """As the superuser, for whom nothing is refused."""
    database.apply(text, role="supabase_admin")
