"""What a database's code does to leave Auth's role is refused, and nothing of ours runs it outside of the refusal.

Each attempt, wherever it runs, is followed by nextval on a sequence that Auth's role has no right to: it stays at what
it was, whatever is rolled back.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.conftest import FreshDatabase
from tests.smoke.conftest import by_flow, connect, users
from trigger_audit.analysis.metadata import Reference
from trigger_audit.analysis.rights import RightsTable
from trigger_audit.errors import TriggerAuditError
from trigger_audit.sandbox.migrations import SqlFile, load_files
from trigger_audit.smoke.catalog import look_at_target
from trigger_audit.smoke.existing import refuse_known_address, rows_of
from trigger_audit.smoke.model import By, Outcome, SmokeReport
from trigger_audit.smoke.rights import look_at_rights
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.sending import without_frames
from trigger_audit.smoke.session import Limits, Session, look_at_server

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


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's account can write."""
    made = Path(tempfile.mkdtemp(prefix="trigger-audit-test-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=["fresh_database", "fresh_database15"])
def database(request: pytest.FixtureRequest) -> FreshDatabase:
    """On 18 and on 15."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, FreshDatabase)
    return found


@pytest.fixture(params=["supabase_admin", "postgres"])
def login(request: pytest.FixtureRequest, database: FreshDatabase) -> Iterator[str]:
    """The superuser, and a member of Auth's role."""
    name = str(request.param)
    if name != "postgres":
        yield name
        return
    with connect(database) as owner:
        owner.execute("GRANT supabase_auth_admin TO postgres")
        yield name
        owner.execute("REVOKE supabase_auth_admin FROM postgres")


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


def test_the_attack_is_one(database: FreshDatabase, folder: Path) -> None:
    """Outside of smoke each of these gets out: what the other tests find is not for want of trying."""
    apply(database, attack("supabase_admin", folder))
    with connect(database) as connection:
        connection.execute("SET SESSION AUTHORIZATION supabase_auth_admin")
        assert connection.execute("SELECT public.attack()").fetchone() == (True,)
        connection.execute("RESET SESSION AUTHORIZATION")
        row = connection.execute("SELECT last_value FROM public.escaped").fetchone()
    assert row is not None
    assert row[0] > len(ATTEMPTS) / 2
    assert [path.name for path in folder.iterdir()] == ["written"]


def test_triggers(database: FreshDatabase, login: str, folder: Path) -> None:
    apply(database, attack(login, folder))
    apply(
        database,
        """
        CREATE TRIGGER attacking AFTER INSERT OR UPDATE OR DELETE ON auth.users
          FOR EACH ROW EXECUTE FUNCTION public.attacking();
        CREATE TRIGGER once AFTER INSERT ON auth.sessions FOR EACH STATEMENT EXECUTE FUNCTION public.attacking();
        """,
    )
    report = smoke(database, login, FLOWS)
    assert report.summary["pass"] == len(report.flows)
    assert report.rolled_back
    assert_confined(database, folder)


def test_deferred_triggers(database: FreshDatabase, login: str, folder: Path) -> None:
    apply(database, attack(login, folder))
    apply(
        database,
        """
        CREATE CONSTRAINT TRIGGER attacking AFTER INSERT OR UPDATE OR DELETE ON auth.users
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.attacking();
        """,
    )
    report = smoke(database, login, FLOWS)
    assert report.summary["pass"] == len(report.flows)
    assert_confined(database, folder)


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


def test_what_a_trigger_leaves_in_the_session(database: FreshDatabase, login: str, folder: Path) -> None:
    """A search_path with operators of its own first, and a temporary view in the place of a table."""
    apply(database, attack(login, folder))
    apply(
        database,
        OPERATORS
        + """
        CREATE FUNCTION public.lay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          SET LOCAL search_path TO evil, pg_catalog, auth;
          CREATE TEMP VIEW users AS SELECT * FROM auth.users WHERE public.attack();
          PERFORM set_config('role', 'none', true);
          RETURN NEW;
        EXCEPTION WHEN OTHERS THEN
          SET LOCAL search_path TO evil, pg_catalog, auth;
          CREATE OR REPLACE TEMP VIEW users AS SELECT * FROM auth.users WHERE public.attack();
          RETURN NEW;
        END $$;
        CREATE TRIGGER lay BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.lay();
        """,
    )
    report = smoke(database, login, FLOWS)
    assert report.rolled_back
    assert_confined(database, folder)


def test_forced_row_security(database: FreshDatabase, login: str, folder: Path) -> None:
    """The policy's function runs in each read, and must not in the last look that no row is left."""
    apply(database, attack(login, folder))
    apply(
        database,
        """
        ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY evil ON auth.users USING (public.attack()) WITH CHECK (public.attack());
        """,
    )
    report = smoke(database, login, FLOWS)
    assert by_flow(report)["signup-email"].outcome is Outcome.PASS
    # A superuser is not held by policies; a member would be, and does not let them run.
    assert report.rolled_back is (login == "supabase_admin")
    assert_confined(database, folder)


def test_tampering_with_the_function(database: FreshDatabase, login: str, folder: Path) -> None:
    """The next call has one of its own again. Where PostgreSQL sees two that fit, it calls neither."""
    apply(database, attack(login, folder))
    apply(
        database,
        """
        CREATE FUNCTION public.tamper() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE found record;
        BEGIN
          FOR found IN
            SELECT proname, oid::regprocedure AS signature FROM pg_proc
            WHERE pronamespace = pg_my_temp_schema() AND pronargs = 0 AND proname LIKE 'trigger_audit%'
          LOOP
            EXECUTE format('ALTER FUNCTION %s SECURITY INVOKER SET search_path = evil', found.signature);
            IF found.proname LIKE '%write' THEN
              EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.%I(OUT affected int8, OUT returned text)
                LANGUAGE plpgsql AS ''BEGIN PERFORM public.attack(); affected := 1; END''', found.proname);
            END IF;
            IF TG_ARGV[0] = 'overloads' THEN
              EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.%I(VARIADIC a int[]) RETURNS SETOF auth.users
                LANGUAGE plpgsql AS ''BEGIN PERFORM public.attack(); END''', found.proname);
            END IF;
            IF TG_ARGV[0] = 'defaults' THEN
              EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.%I(a int DEFAULT 1) RETURNS SETOF auth.users
                LANGUAGE plpgsql AS ''BEGIN PERFORM public.attack(); END''', found.proname);
            END IF;
          END LOOP;
          RETURN NULL;
        END $$;
        """,
    )
    for kind, outcome in (("plain", Outcome.PASS), ("overloads", Outcome.PASS), ("defaults", Outcome.FAIL)):
        apply(
            database,
            f"""CREATE OR REPLACE TRIGGER tamper AFTER INSERT OR UPDATE ON auth.users
                FOR EACH ROW EXECUTE FUNCTION public.tamper('{kind}')""",
        )
        result = by_flow(smoke(database, login, ["signup-email"]))["signup-email"]
        assert result.outcome is outcome, kind
        if result.failed_step is not None:
            assert result.failed_step.sqlstate == "42725"  # ambiguous
        assert_confined(database, folder)


def test_event_triggers_of_a_sandbox_are_off(database: FreshDatabase, folder: Path) -> None:
    """They would fire for each of smoke's functions, with the superuser as the session's user."""
    text = (
        attack("supabase_admin", folder).replace("current_user", "'postgres'")
        + """
        CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS
          $$ BEGIN IF session_user <> 'postgres' THEN PERFORM public.attack(); END IF; END $$;
        CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();
    """
    )
    load_files(database.conninfo(), [SqlFile("a.sql", text)])
    with connect(database) as connection:
        assert connection.execute("SELECT evtname, evtenabled FROM pg_event_trigger").fetchall() == [("watch", "D")]
    assert smoke(database, "supabase_admin", ["signup-email"]).rolled_back
    assert_confined(database, folder)


def test_event_triggers_of_a_database_do_not_fire_from_17_on(fresh_database: FreshDatabase, folder: Path) -> None:
    apply(
        fresh_database,
        attack("supabase_admin", folder)
        + """
        CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM public.attack(); END $$;
        CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();
        ALTER EVENT TRIGGER watch ENABLE ALWAYS;
        """,
    )
    assert smoke(fresh_database, "supabase_admin", ["signup-email"]).rolled_back
    assert_confined(fresh_database, folder)


def test_the_search_path_of_a_database(database: FreshDatabase, folder: Path) -> None:
    """Its owner may set it, and a superuser without one of his own begins with it."""
    apply(database, attack("supabase_admin", folder) + OPERATORS)
    setting = sql.SQL("ALTER ROLE supabase_admin IN DATABASE {} SET search_path = evil, pg_catalog")
    with connect(database) as owner:
        owner.execute(setting.format(sql.Identifier(database.name)))
    with connect(database) as connection:
        report = run_smoke(connection, flows=["signup-email"], hazards=(), allow_side_effects=True, target={})
    assert report.rolled_back
    assert_confined(database, folder)


CASTS = """
CREATE TYPE public.kind AS ENUM ('admin', 'member');
CREATE FUNCTION public.told(public.kind) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.attack(); RETURN 'admin'; END $$;
CREATE CAST (public.kind AS text) WITH FUNCTION public.told(public.kind);
CREATE TABLE public.kinds (kind public.kind PRIMARY KEY);
CREATE TABLE public.members (id uuid PRIMARY KEY, kind public.kind, is_admin boolean, roles text[]);
INSERT INTO public.kinds VALUES ('admin');
INSERT INTO public.members VALUES ('00000000-0000-4000-8000-000000000001', 'admin', true, '{a,b}');
CREATE TABLE public.swapped (id uuid PRIMARY KEY, role text);
"""


def test_what_is_looked_up_around_the_flows(database: FreshDatabase, login: str, folder: Path) -> None:
    """As the outer role: a type's own cast, and a view that a trigger has put in a table's place."""
    apply(database, attack(login, folder).replace("BEGIN\n  IF", "BEGIN\n  PERFORM nextval('public.escaped');\n  IF"))
    apply(database, OPERATORS.replace("evil.=", "auth.=").replace("evil.same", "auth.same"))
    database.apply(CASTS)
    members = RightsTable("public", "members", ("kind", "is_admin", "roles"), ("id",))
    swapped = RightsTable("public", "swapped", ("role",), ("id",))
    with connect(database, login) as connection:
        connection.execute("BEGIN")
        session = Session(connection, look_at_server(connection), Limits())
        session.limit()
        target = look_at_target(connection, session)
        refuse_known_address(connection, session, "a@example.com")
        reference = Reference("public", "kinds", "kind")
        assert rows_of(connection, session, [reference]) == {reference: ("admin",)}
        session.leave()
        if login == "supabase_admin":
            connection.execute(
                "DROP TABLE public.swapped; CREATE VIEW public.swapped AS SELECT id, public.attack()::text AS role "
                "FROM public.members"
            )
        user = "00000000-0000-4000-8000-000000000001"
        rights = look_at_rights(connection, session, target, [members, swapped], user)
        connection.execute("ROLLBACK")
    assert {(right.column, right.value) for right in rights.held} == {
        ("kind", "admin"), ("is_admin", "true"), ("roles", "{a,b}"), ("roles", "a"), ("roles", "b"),
    }  # fmt: skip
    assert any("public.swapped is no table any more" in gap for gap in rights.gaps) is (login == "supabase_admin")
    assert_confined(database, folder)


@pytest.mark.parametrize(
    "statement", ["SET LOCAL ROLE postgres", "PERFORM set_config('session_authorization', 'a', true)"]
)
def test_a_trigger_that_changes_the_role_is_skipped(database: FreshDatabase, login: str, statement: str) -> None:
    apply(
        database,
        f"""
        CREATE FUNCTION public.change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          {statement};
          RETURN NULL;
        END $$;
        CREATE TRIGGER change AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.change();
        """,
    )
    results = by_flow(smoke(database, login, ["signup-email", "login"]))
    for name in ("signup-email", "signup-email/full"):
        assert results[name].outcome is Outcome.SKIPPED
        assert str(results[name].reason).startswith(
            "a trigger changes the role, which smoke lets no trigger do (42501 at INSERT auth.users, "
            "in public.change() line 3: cannot set parameter "
        )
    # It goes on from a user made without the trigger.
    assert results["login"].outcome is Outcome.PASS


def test_without_the_right_to_temporary_functions(fresh_database: FreshDatabase) -> None:
    name = sql.Identifier(fresh_database.name)
    with connect(fresh_database) as connection:
        connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
        with pytest.raises(TriggerAuditError, match="may create no temporary functions") as caught:
            run_smoke(connection, flows=None, hazards=(), allow_side_effects=False, target={})
        assert "GRANT TEMPORARY" in str(caught.value.remedy)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with connect(fresh_database, "supabase_auth_admin") as connection:
        report = run_smoke(connection, flows=["signup-email"], hazards=(), allow_side_effects=False, target={})
    assert report.session.by is By.LOGIN
    assert report.summary["pass"] == len(report.flows)


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ("RAISE EXCEPTION 'no';", "PL/pgSQL function public.f() line 3 at RAISE"),
        (
            "EXECUTE 'INSERT INTO public.t VALUES (NULL)';",
            'SQL statement "INSERT INTO public.t VALUES (NULL)"\nPL/pgSQL function public.f() line 3 at EXECUTE',
        ),
        ("EXECUTE 'SELECT no_such';", "PL/pgSQL function public.f() line 3 at EXECUTE"),
        ("NEW.aud = NULL; NEW.id = NULL;", None),
    ],
)
def test_the_context_is_as_without_the_function(fresh_database: FreshDatabase, body: str, context: str | None) -> None:
    apply(
        fresh_database,
        f"""
        CREATE TABLE public.t (a int NOT NULL);
        GRANT ALL ON public.t TO supabase_auth_admin;
        CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          {body}
          RETURN NEW;
        END $$;
        CREATE TRIGGER f BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.f();
        """,
    )
    steps = []
    for role in ("supabase_admin", "supabase_auth_admin"):
        with connect(fresh_database, role) as connection:
            report = run_smoke(connection, flows=["signup-email"], hazards=(), allow_side_effects=False, target={})
        steps.append(report.flows[0].failed_step)
    assert steps[0] is not None
    assert steps[0].context == context
    assert steps[0] == steps[1]


@pytest.mark.parametrize(
    ("context", "rest"),
    [
        ('SQL statement "INSERT INTO a"\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE', None),
        ("SQL-Anweisung »INSERT INTO a«\nPL/pgSQL-Funktion pg_temp_3.f_write() Zeile 1 bei EXECUTE", None),
        ("x\ninstruction SQL « INSERT INTO a »\nfonction PL/pgSQL pg_temp_3.f_write(), ligne 1 à EXECUTE", "x"),
        ("PL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE", None),
        ('SQL statement "INSERT INTO a values"\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE',
         'SQL statement "INSERT INTO a values"'),
        ("a\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE", "a"),
        ('SQL statement "INSERT INTO a"\nPL/pgSQL function b() line 1 at EXECUTE',
         'SQL statement "INSERT INTO a"\nPL/pgSQL function b() line 1 at EXECUTE'),
    ],
)  # fmt: skip
def test_without_frames(context: str, rest: str | None) -> None:
    assert without_frames(context, "f_write", "INSERT INTO a") == rest


def test_without_frames_of_a_statement_of_several_lines() -> None:
    context = 'inner\nSQL statement "INSERT\nINTO a"\nPL/pgSQL function pg_temp_3.f_write() line 1 at EXECUTE'
    assert without_frames(context, "f_write", "INSERT\nINTO a") == "inner"
