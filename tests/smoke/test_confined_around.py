"""Nothing of ours runs a database's code outside of the confinement: event triggers, operators, look-ups."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from tests.conftest import FreshDatabase
from tests.smoke.confining import OPERATORS, apply, assert_confined, attack, smoke
from tests.smoke.conftest import connect
from trigger_audit.analysis.metadata import Reference
from trigger_audit.analysis.rights import RightsTable
from trigger_audit.errors import TriggerAuditError
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile
from trigger_audit.smoke.catalog import look_at_target
from trigger_audit.smoke.existing import refuse_known_address, rows_of
from trigger_audit.smoke.rights import look_at_rights
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.session import Limits, Session, look_at_server


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
        rights = look_at_rights(session, target, [members, swapped], user)
        connection.execute("ROLLBACK")
    assert {(right.column, right.value) for right in rights.held} == {
        ("kind", "admin"), ("is_admin", "true"), ("roles", "{a,b}"), ("roles", "a"), ("roles", "b"),
    }  # fmt: skip
    assert any("public.swapped is no table any more" in gap for gap in rights.gaps) is (login == "supabase_admin")
    assert_confined(database, folder)


def test_a_superuser_without_auths_role(database: FreshDatabase) -> None:
    """The triggers would run as the superuser itself."""
    with connect(database) as connection:
        connection.execute("BEGIN")
        session = Session(connection, look_at_server(connection, "nobody"), Limits())
        with pytest.raises(TriggerAuditError, match="the triggers would run with a superuser's rights"):
            look_at_target(connection, session)
