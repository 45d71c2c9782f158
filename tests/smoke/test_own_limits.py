"""Errors that look like those of how smoke runs the statements, but that a project's own code raises: they count."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Database, Run, by_flow, connect, session_on
from tests.smoke.proving import on_users
from trigger_audit.smoke.model import Outcome
from trigger_audit.smoke.session import Limits

_NAMED_ROLE = """
CREATE TABLE public.role (id uuid PRIMARY KEY);
ALTER TABLE public.role ENABLE ROW LEVEL SECURITY;
GRANT ALL ON public.role TO supabase_auth_admin;
CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.role VALUES (NEW.id);
  RETURN NEW;
END $$;
CREATE TRIGGER fill AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.fill();
"""
_SAYS_ROLE = on_users(
    "wants",
    "  RAISE EXCEPTION 'cannot set parameter \"role\" within security-definer function'"
    " USING ERRCODE = 'insufficient_privilege';",
)


@pytest.mark.parametrize("sql", [_NAMED_ROLE, _SAYS_ROLE], ids=["row-security", "raise"])
@pytest.mark.parametrize("login", ["supabase_admin", "supabase_auth_admin"])
def test_an_error_that_names_the_role(smoke: Run, sql: str, login: str) -> None:
    """The server's own refusal to change the role has the same SQLSTATE, and the word too."""
    result = by_flow(smoke(sql, ["signup-email"], login))["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert (result.failed_step.sqlstate, '"role"' in result.failed_step.message) == ("42501", True)


@pytest.mark.parametrize("login", ["supabase_admin", "supabase_auth_admin"])
def test_a_cancellation_that_a_trigger_raises(smoke: Run, login: str) -> None:
    sql = on_users("quota", "  RAISE EXCEPTION 'quota' USING ERRCODE = 'query_canceled';")
    result = by_flow(smoke(sql, ["signup-email"], login))["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert (result.failed_step.sqlstate, result.failed_step.message) == ("57014", "quota")


def test_a_cancellation_that_a_trigger_raises_after_ours(smoke: Run) -> None:
    """It has caught that of our statement_timeout, which says nothing of the flow."""
    body = """
      BEGIN
        PERFORM pg_catalog.pg_sleep(5);
      EXCEPTION WHEN query_canceled THEN
        RAISE EXCEPTION 'too slow' USING ERRCODE = 'query_canceled';
      END;
      RETURN NEW;"""
    report = smoke(on_users("slow", body), ["signup-email"], limits=Limits(statement=300, lock=200))
    assert {result.outcome for result in report.flows} == {Outcome.SKIPPED}


def test_our_lock_timeout_in_other_words(smoke: Run, fresh_database: Database) -> None:
    """A handler raises another error for it: so the flow is run again with no limit that handlers catch."""
    sql = "CREATE TABLE public.counter (n int);\nINSERT INTO public.counter VALUES (0);\n" + on_users(
        "counts",
        """
      BEGIN
        UPDATE public.counter SET n = n + 1;
      EXCEPTION WHEN OTHERS THEN
        RAISE EXCEPTION 'not counted: %', SQLERRM;
      END;
      RETURN NEW;""",
    )
    with connect(fresh_database) as owner, connect(fresh_database) as other:
        owner.execute("SET SESSION AUTHORIZATION postgres")
        owner.execute(sql.encode())
        other.execute("BEGIN")
        other.execute("UPDATE public.counter SET n = 0")
        report = smoke(flows=["signup-email"], limits=Limits(statement=600, lock=200))
    assert {result.outcome for result in report.flows} == {Outcome.SKIPPED}


_READ_ONLY = "  SET LOCAL transaction_read_only = on;\n  RETURN NEW;"


@pytest.mark.parametrize("login", ["supabase_admin", "supabase_auth_admin"])
@pytest.mark.parametrize(
    ("when", "told"),
    [("AFTER INSERT", "UPDATE"), ("AFTER UPDATE OF confirmation_token", "DELETE")],
)
def test_a_trigger_that_ends_all_writing(smoke: Run, when: str, told: str, login: str) -> None:
    """A function for the next statement is refused as well, but what is told is the statement's own error."""
    result = by_flow(smoke(on_users("ends", _READ_ONLY, when), ["signup-email"], login))["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert result.failed_step is not None
    assert (result.failed_step.sqlstate, result.failed_step.message) == (
        "25006",
        f"cannot execute {told} in a read-only transaction",
    )


def test_triggers_are_switched_off_by_a_statement(fresh_database: Database) -> None:
    """On hosted Supabase postgres may have SET for the parameter, for supautils looks at statements, but not
    set_config. Here nobody has that at all."""
    with connect(fresh_database) as owner, connect(fresh_database, "postgres") as connection:
        with connection.transaction():
            session = session_on(connection)
            owner.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.set_config FROM PUBLIC")
            for off, value in ((True, "replica"), (False, "origin")):
                session.switch_triggers(off=off)
                assert connection.execute("SHOW session_replication_role").fetchone() == (value,)
        assert connection.execute("SHOW session_replication_role").fetchone() == ("origin",)
