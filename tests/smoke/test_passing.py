"""On a database without triggers every flow passes, whoever runs it and whatever an older target lacks."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Database, Run, connect, users
from tests.smoke.test_failing import trigger
from trigger_audit.smoke.model import By, Mail, Outcome
from trigger_audit.smoke.runner import run_smoke


def test_every_flow_passes(smoke: Run) -> None:
    report = smoke()
    assert {(r.flow, r.payload.value): r.changes for r in report.flows if r.outcome is not Outcome.PASS} == {}
    assert report.summary == {"pass": 33, "fail": 0, "altered": 0, "skipped": 0, "latent": 5}
    assert report.strongest_lock == "RowExclusiveLock"
    assert report.session.by is By.SESSION_AUTHORIZATION
    assert report.session.gaps == ()
    mails = {result.flow for result in report.flows if result.mail is Mail.SENT}
    assert mails == {
        "signup-email", "signup-otp", "signup-phone", "invite", "magic-link", "recovery", "email-change",
    }  # fmt: skip


def test_on_postgresql_15_too(fresh_database15: Database) -> None:
    """There a deferred trigger runs as the role that is set, not as the one that queued it: the outcome is the same."""
    with connect(fresh_database15) as connection:
        report = run_smoke(connection, flows=None, hazards=(), allow_side_effects=False, target={})
        assert report.summary["pass"] == len(report.flows)
        refusal = trigger(
            "  RAISE '% is late', current_user;", "AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED"
        )
        refusal = refusal.replace("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER").replace("DEFINER", "INVOKER")
        connection.execute(refusal.encode())
        report = run_smoke(connection, flows=["signup-email"], hazards=(), allow_side_effects=False, target={})
    step = report.flows[0].failed_step
    assert step is not None
    assert (step.statement, step.message) == ("COMMIT", "supabase_auth_admin is late")
    assert report.rolled_back
    assert users(fresh_database15) == 0


def test_logged_in_as_auth(smoke: Run) -> None:
    report = smoke(role="supabase_auth_admin")
    assert report.session.by is By.LOGIN
    assert report.summary["pass"] == len(report.flows)


def test_as_a_role_that_cannot_become_auth(smoke: Run) -> None:
    report = smoke(role="postgres")
    assert (report.session.by, report.session.role) == (By.APPROXIMATION, "postgres")
    assert any("SECURITY INVOKER" in gap for gap in report.session.gaps)
    assert any("row security" in gap for gap in report.session.gaps)
    assert report.summary["pass"] == len(report.flows)


def test_as_a_member_of_auth(smoke: Run, fresh_database: Database) -> None:
    with connect(fresh_database) as owner:
        owner.execute("CREATE ROLE member_of_auth LOGIN")
        try:
            owner.execute("GRANT supabase_auth_admin TO member_of_auth")
            report = smoke(role="member_of_auth", flows=["signup-email", "login"])
        finally:
            owner.execute("DROP ROLE member_of_auth")
    assert report.session.by is By.SET_ROLE
    assert report.session.role == "supabase_auth_admin"
    assert "session_user" in report.session.gaps[0]
    assert {result.outcome for result in report.flows} == {Outcome.PASS}


def test_what_an_older_target_lacks_is_left_out_and_said(smoke: Run, fresh_database: Database) -> None:
    with connect(fresh_database) as owner:
        owner.execute("DROP TABLE auth.one_time_tokens; ALTER TABLE auth.users DROP COLUMN is_anonymous")
    report = smoke()
    assert report.session.gaps == (
        "auth.one_time_tokens does not exist: its statements are left out",
        "auth.users has no column is_anonymous: left out",
    )
    assert report.summary["pass"] == len(report.flows)


@pytest.mark.parametrize("schema", ["public", "private"])
def test_a_deferred_constraint_is_deferred_again(smoke: Run, fresh_database: Database, schema: str) -> None:
    """The login's child comes before its parent, in the second transaction of an auto-confirmed sign-up.

    Auth's role may not even name the constraint where it has no USAGE on the schema.
    """
    with connect(fresh_database) as owner:
        owner.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION postgres".encode())
    report = smoke(
        f"""
        CREATE TABLE {schema}.parent (id uuid PRIMARY KEY);
        CREATE TABLE {schema}.child (id uuid REFERENCES {schema}.parent DEFERRABLE INITIALLY DEFERRED);
        CREATE FUNCTION public.add_child() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF NEW.payload->>'action' = 'login' THEN
            INSERT INTO {schema}.child VALUES ((NEW.payload->>'actor_id')::uuid);
          END IF;
          RETURN NEW;
        END $$;
        CREATE FUNCTION public.add_parent() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN INSERT INTO {schema}.parent VALUES (NEW.user_id); RETURN NEW; END $$;
        CREATE TRIGGER child AFTER INSERT ON auth.audit_log_entries
          FOR EACH ROW EXECUTE FUNCTION public.add_child();
        CREATE TRIGGER parent AFTER INSERT ON auth.sessions FOR EACH ROW EXECUTE FUNCTION public.add_parent();
        """,
        ["signup-autoconfirm"],
    )
    assert [result.failed_step for result in report.flows] == [None, None]
    assert report.summary["pass"] == 2
