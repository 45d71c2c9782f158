"""Event triggers that refuse our commands: said as such, and never a failure of a flow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import FreshDatabase
from tests.smoke.conftest import by_flow, connect, users
from tests.smoke.proving import apply_as_postgres, on_users, prove_on
from trigger_audit.errors import TriggerAuditError
from trigger_audit.smoke.model import Outcome

REFUSES_ALL = """
    CREATE FUNCTION public.no_functions() RETURNS event_trigger LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'no DDL in office hours' USING ERRCODE = 'insufficient_privilege'; END$$;
    CREATE EVENT TRIGGER keep_still ON ddl_command_start WHEN TAG IN ('CREATE FUNCTION')
      EXECUTE FUNCTION public.no_functions();
"""
REFUSES_PUBLIC = """
    CREATE FUNCTION public.not_in_public() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name = 'public') THEN
          RAISE EXCEPTION 'only by migration';
        END IF;
      END$$;
    CREATE EVENT TRIGGER keep_public ON ddl_command_end EXECUTE FUNCTION public.not_in_public();
"""
# Lets the first functions be made, those of the preparation.
REFUSES_LATER = """
    CREATE SEQUENCE public.commands;
    GRANT ALL ON SEQUENCE public.commands TO PUBLIC;
    CREATE FUNCTION public.a_few_only() RETURNS event_trigger LANGUAGE plpgsql AS
      $$BEGIN IF pg_catalog.nextval('public.commands') > 10 THEN RAISE EXCEPTION 'enough'; END IF; END$$;
    CREATE EVENT TRIGGER rationed ON ddl_command_start WHEN TAG IN ('CREATE FUNCTION')
      EXECUTE FUNCTION public.a_few_only();
"""
FAILS = on_users("on_new", "  RAISE EXCEPTION 'no';")
HIDES = on_users("quiet", "  BEGIN\n    PERFORM 1 / 0;\n  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n  RETURN NEW;")


@pytest.fixture(params=["superuser on 15", "member on 18"])
def login(request: pytest.FixtureRequest) -> Iterator[tuple[FreshDatabase, str]]:
    """A database, and a login in it whose commands fire event triggers and that becomes Auth's role."""
    if request.param == "superuser on 15":
        yield request.getfixturevalue("fresh_database15"), "supabase_admin"
        return
    database: FreshDatabase = request.getfixturevalue("fresh_database")
    with connect(database) as owner:
        owner.execute("GRANT supabase_auth_admin TO postgres")
        try:
            yield database, "postgres"
        finally:
            owner.execute("REVOKE supabase_auth_admin FROM postgres")


def add(database: FreshDatabase, event_trigger: str) -> None:
    with connect(database) as owner:
        owner.execute(event_trigger.encode())


def test_one_that_refuses_every_function(login: tuple[FreshDatabase, str]) -> None:
    database, role = login
    apply_as_postgres(database, FAILS)
    add(database, REFUSES_ALL)
    with pytest.raises(TriggerAuditError) as told:
        prove_on(database, ["signup-email"], role)
    assert told.value.message == (
        "event trigger keep_still refuses CREATE FUNCTION (no DDL in office hours), and smoke runs its statements in "
        "temporary functions"
    )
    assert told.value.remedy is not None
    assert "log in as supabase_auth_admin" in told.value.remedy
    assert users(database) == 0


def test_the_remedy_helps(login: tuple[FreshDatabase, str]) -> None:
    database, _ = login
    apply_as_postgres(database, FAILS)
    add(database, REFUSES_ALL)
    result = by_flow(prove_on(database, ["signup-email"], "supabase_auth_admin"))["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert result.failed_step.function == "public.on_new()"


def test_a_superuser_has_them_off_from_17_on(fresh_database: FreshDatabase) -> None:
    apply_as_postgres(fresh_database, FAILS)
    add(fresh_database, REFUSES_ALL)
    (culprit,) = by_flow(prove_on(fresh_database, ["signup-email"]))["signup-email"].culprits
    assert culprit.name == "auth.users.on_new"


def test_one_that_refuses_what_switches_triggers_off(login: tuple[FreshDatabase, str]) -> None:
    database, role = login
    apply_as_postgres(database, FAILS)
    add(database, REFUSES_PUBLIC)
    report = prove_on(database, ["signup-email"], role)
    result = by_flow(report)["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert result.failed_step.function == "public.on_new()"
    assert result.culprits == ()
    assert result.reason == (
        "the cause is not proved, for switching triggers off was refused: "
        "event trigger keep_public refuses it (P0001: only by migration)"
    )
    assert report.toggles == ()


def test_one_that_refuses_to_open_handlers(login: tuple[FreshDatabase, str]) -> None:
    database, role = login
    apply_as_postgres(database, HIDES)
    add(database, REFUSES_PUBLIC)
    report = prove_on(database, ["signup-email"], role, unmask=True)
    assert {result.outcome for result in report.flows} == {Outcome.PASS}
    assert report.hidden_errors == ()
    assert (
        "what exception handlers hide is not known, for opening them was refused: "
        "event trigger keep_public refuses it (P0001: only by migration)"
    ) in report.session.gaps


def test_one_that_refuses_in_the_middle(login: tuple[FreshDatabase, str]) -> None:
    database, role = login
    add(database, REFUSES_LATER)
    report = prove_on(database, ["signup-email"], role, looked=False)
    # It refuses the function that looks for rows that are left, too.
    assert report.not_verified == ("the look whether anything is left of the run was not possible: enough")
    for result in report.flows:
        assert result.outcome is Outcome.SKIPPED
        assert result.reason is not None
        assert result.reason.startswith(
            "event trigger rationed refuses the functions that smoke runs Auth's statements in (P0001 at "
        )


def test_one_that_refuses_what_a_trigger_does_is_a_failure(login: tuple[FreshDatabase, str]) -> None:
    """For it would be one of Auth's as well."""
    database, role = login
    apply_as_postgres(database, on_users("makes", "  CREATE TABLE public.made ();\n  RETURN NEW;"))
    add(database, REFUSES_PUBLIC)
    step = by_flow(prove_on(database, ["signup-email"], role))["signup-email"].failed_step
    assert step is not None
    assert (step.function, step.message) == ("public.not_in_public()", "only by migration")
