"""What triggers do to leave Auth's role is refused, and a flow whose trigger changes the role is skipped."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.conftest import FreshDatabase
from tests.smoke.confining import ATTEMPTS, FLOWS, OPERATORS, apply, assert_confined, attack, smoke
from tests.smoke.conftest import by_flow, connect
from trigger_audit.errors import TriggerAuditError
from trigger_audit.smoke.model import By, Outcome
from trigger_audit.smoke.runner import run_smoke


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
