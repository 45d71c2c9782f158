"""What triggers leave behind in the session, or a database sets: nothing of it ends the run or changes what is read."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Database, Run, connect
from tests.smoke.proving import on_users
from trigger_audit.smoke.model import Outcome
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.session import Limits

FLOWS = ("signup-email", "magic-link", "login", "delete-user")


def leaves(*settings: tuple[str, str]) -> str:
    lines = [f"  PERFORM set_config('{name}', '{value}', true);" for name, value in settings]
    return on_users("leaves", "\n".join((*lines, "  RETURN NEW;")))


@pytest.mark.parametrize(
    "settings",
    [
        (("DateStyle", "SQL, DMY"),),
        (("DateStyle", "German"), ("TimeZone", "Asia/Kathmandu")),
        (("DateStyle", "Postgres, MDY"), ("TimeZone", "<far>-100")),
        (("client_encoding", "LATIN1"),),
        (("client_encoding", "EUC_TW"),),
        (("client_encoding", "SJIS"), ("standard_conforming_strings", "off")),
        (("standard_conforming_strings", "off"), ("backslash_quote", "off")),
        (("quote_all_identifiers", "on"),),
        (("extra_float_digits", "-15"), ("IntervalStyle", "iso_8601"), ("bytea_output", "escape")),
    ],
    ids=str,
)
@pytest.mark.parametrize("login", ["supabase_admin", "supabase_auth_admin"])
def test_settings_of_a_trigger(smoke: Run, settings: tuple[tuple[str, str], ...], login: str) -> None:
    report = smoke(leaves(*settings), FLOWS, role=login)
    assert {result.outcome for result in report.flows} == {Outcome.PASS}, report.flows


@pytest.mark.extended
def test_time_outs_of_a_trigger(smoke: Run) -> None:
    """They are ours again behind the statement: the next one may take longer than the trigger left it."""
    left = (("statement_timeout", "400"), ("lock_timeout", "400"), ("idle_in_transaction_session_timeout", "400"))
    sleeps = on_users("sleeps", "  PERFORM pg_catalog.pg_sleep(0.6);\n  RETURN NEW;", "BEFORE UPDATE")
    (result,) = smoke(leaves(*left) + sleeps, ("oauth-first",)).flows[:1]
    assert result.outcome is Outcome.PASS, result


@pytest.mark.parametrize("login", ["supabase_admin", "supabase_auth_admin"])
def test_a_time_out_that_a_trigger_switches_off(smoke: Run, login: str) -> None:
    """It would free the next statements, not the present one."""
    sleeps = (
        "  IF TG_OP = 'INSERT' THEN\n    PERFORM set_config('statement_timeout', '0', true);\n"
        "  ELSE\n    PERFORM pg_sleep(5);\n  END IF;\n  RETURN NEW;"
    )
    limits = Limits(statement=300, lock=100)
    (result,) = smoke(on_users("sleeps", sleeps, "BEFORE INSERT OR UPDATE"), ("oauth-first",), login, limits).flows[:1]
    assert result.outcome is Outcome.SKIPPED
    assert result.reason is not None
    assert result.reason.startswith("the statement ran into our statement_timeout (57014 at UPDATE auth.users")


@pytest.mark.parametrize("setting", ["datestyle = 'SQL, DMY'", "timezone = 'America/Caracas'"])
def test_settings_of_a_database(smoke: Run, fresh_database: Database, setting: str) -> None:
    with connect(fresh_database) as owner:
        owner.execute(f"ALTER DATABASE {owner.info.dbname} SET {setting}".encode())
    report = smoke("", FLOWS)
    assert {result.outcome for result in report.flows} == {Outcome.PASS}, report.flows


def test_a_transaction_timeout_of_a_database(fresh_database: Database) -> None:
    """PostgreSQL 17 ends the connection when a transaction outlives it, and all flows are one."""
    with connect(fresh_database) as owner:
        if owner.info.server_version < 170000:
            assert "transaction_timeout" not in {row[0] for row in owner.execute("SELECT name FROM pg_settings")}
            return
        owner.execute(b"ALTER DATABASE %b SET transaction_timeout = '500ms'" % owner.info.dbname.encode())
    with connect(fresh_database) as connection:
        report = run_smoke(connection, flows=None, hazards=(), allow_side_effects=False, target={})
    assert {result.outcome for result in report.flows} == {Outcome.PASS}


def test_triggers_still_see_the_style_of_the_database(smoke: Run, fresh_database: Database) -> None:
    """A trigger that reads a day first does so, for Auth's session has that style too; also after a read of ours."""
    with connect(fresh_database) as owner:
        owner.execute(f"ALTER DATABASE {owner.info.dbname} SET datestyle = 'SQL, DMY'".encode())
    reads = "  PERFORM '31/12/2000'::date;\n  RETURN NEW;"
    created = on_users("reads", reads)
    updated = "CREATE TRIGGER updated BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.reads();"
    report = smoke(created + updated, FLOWS)
    assert {result.outcome for result in report.flows} == {Outcome.PASS}, report.flows


def test_a_constraint_that_a_trigger_drops(smoke: Run) -> None:
    """After the commit point it cannot be deferred again: that flow is given up, and no other."""
    report = smoke(
        "CREATE TABLE public.parents (id int PRIMARY KEY); CREATE TABLE public.children (parent int, "
        "CONSTRAINT late FOREIGN KEY (parent) REFERENCES public.parents DEFERRABLE INITIALLY DEFERRED);"
        + on_users("drops", "  ALTER TABLE public.children DROP CONSTRAINT late;\n  RETURN NEW;"),
        ("signup-email", "login", "anonymous"),
    )
    by_name = {result.flow: result for result in report.flows}
    skipped = by_name["signup-email"]
    assert skipped.outcome is Outcome.SKIPPED
    assert skipped.reason is not None
    assert "smoke cannot go on with what a trigger has left behind" in skipped.reason
    assert "(42704)" in skipped.reason
    login = by_name["login"]
    assert login.outcome is Outcome.PASS
    assert login.reason is not None
    assert "because signup-email with bare metadata: smoke cannot go on" in login.reason


@pytest.mark.parametrize(
    ("until", "refused"),
    [("now() + interval '1 day'", True), ("'12000-01-01'", True), ("now()", False), ("'4000-01-01 BC'", False)],
)
@pytest.mark.parametrize("login", ["supabase_admin", "supabase_auth_admin"])
def test_times_in_another_style(smoke: Run, until: str, refused: bool, login: str) -> None:
    """Whether the user is banned is seen all the same, also by times that Python has no value for."""
    body = f"  PERFORM set_config('DateStyle', 'German', true);\n  NEW.banned_until := {until};\n  RETURN NEW;"
    (result,) = smoke(on_users("bans", body, "BEFORE INSERT"), ("oauth-first",), login).flows[:1]
    assert result.response is not None
    assert result.response.error_code == ("user_banned" if refused else None)


def test_strings_need_no_setting(fresh_database: Database) -> None:
    """libpq escapes a backslash in a form that is read alike under any standard_conforming_strings."""
    from psycopg import sql

    hostile = "\\'); SELECT 1; --\\"
    with connect(fresh_database) as connection:
        for held in ("on", "off"):
            connection.execute(f"SET standard_conforming_strings = {held}".encode())
            connection.execute("SET escape_string_warning = off")
            row = connection.execute(sql.SQL("SELECT {}").format(sql.Literal(hostile))).fetchone()
            assert row == (hostile,)
