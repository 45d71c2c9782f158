"""Auth's version by its migrations: in whose words the answers are told, and when a note says that it is not known."""

from __future__ import annotations

import psycopg
import pytest

from tests.smoke.conftest import Database, Run, by_flow, connect
from trigger_audit.auth.versions import Span, Version
from trigger_audit.smoke.model import Answer
from trigger_audit.smoke.release import version_gaps
from trigger_audit.smoke.runner import run_smoke

_REFUSING = """
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'no, <% is full', NEW.aud USING DETAIL = 'for now', ERRCODE = '{sqlstate}';
END $$;
CREATE TRIGGER refuse BEFORE {event} ON auth.users FOR EACH ROW EXECUTE FUNCTION public.refuse();
"""
_TOKEN = _REFUSING.format(sqlstate="P0001", event="UPDATE OF confirmation_token")
CODE = "unexpected_failure"


def _migrated(database: Database, newest: str | None) -> None:
    with connect(database) as connection:
        connection.execute("DELETE FROM auth.schema_migrations WHERE version > %s", (newest or "",))


@pytest.mark.parametrize(
    ("newest", "message"),
    [
        ("20260625000000", "Error sending confirmation email"),
        ("20240806073726", "Error sending confirmation email"),
        ("20240802193726", "Error sending confirmation mail"),
        ("00", "Error sending confirmation email"),
    ],
)
def test_the_newest_migration_picks_the_words(smoke: Run, fresh_database: Database, newest: str, message: str) -> None:
    _migrated(fresh_database, newest)
    report = smoke(_TOKEN, ["signup-email"])
    assert by_flow(report)["signup-email"].response == Answer(500, CODE, message)
    doubt = newest in ("20240806073726", "00")
    assert bool(report.session.gaps) is doubt
    if newest == "20240806073726":
        assert report.session.gaps == (
            "Auth is v2.159.0 or later, older than v2.163.0: of the answers that v2.160.0 changed, those since are "
            "shown; --auth-version says which it is",
        )


def test_the_sandbox_is_of_the_newest_version(fresh_database: Database) -> None:
    with connect(fresh_database) as connection:
        row = connection.execute("SELECT count(*), max(version) FROM auth.schema_migrations").fetchone()
    assert row == (70, "20260625000000")


def test_a_version_that_is_named_goes_before_the_migrations(fresh_database: Database) -> None:
    _migrated(fresh_database, "20240806073726")
    with connect(fresh_database) as owner:
        owner.execute(_TOKEN.encode())
    with connect(fresh_database) as connection:
        report = run_smoke(
            connection,
            flows=["signup-email"],
            hazards=(),
            allow_side_effects=False,
            target={},
            auth_version=Version(2, 159, 1),
        )
    assert report.session.gaps == ()
    assert by_flow(report)["signup-email"].response == Answer(500, CODE, "Error sending confirmation mail")


def test_a_login_that_may_only_read_the_migrations_knows_the_version(fresh_database: Database) -> None:
    """As hosted Supabase's postgres, which passes row security."""
    _migrated(fresh_database, "20240802193726")
    with connect(fresh_database) as owner:
        owner.execute("GRANT SELECT ON auth.schema_migrations TO postgres")
        owner.execute(_TOKEN.encode())
    with psycopg.connect(fresh_database.conninfo("postgres"), prepare_threshold=None) as connection:
        report = run_smoke(connection, flows=["signup-email"], hazards=(), allow_side_effects=False, target={})
    assert by_flow(report)["signup-email"].response == Answer(500, CODE, "Error sending confirmation mail")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE auth.schema_migrations",
        "TRUNCATE auth.schema_migrations",
        "ALTER TABLE auth.schema_migrations RENAME COLUMN version TO other",
        "REVOKE SELECT ON auth.schema_migrations FROM supabase_auth_admin",
        "ALTER TABLE auth.schema_migrations FORCE ROW LEVEL SECURITY",
    ],
)
def test_a_version_that_cannot_be_read_is_unknown(smoke: Run, fresh_database: Database, statement: str) -> None:
    with connect(fresh_database) as owner:
        owner.execute(statement.encode())
    (gap,) = smoke("", ["signup-email"]).session.gaps
    assert gap == (
        "auth.schema_migrations does not say which version of Auth this is: the answers are those of v2.165.0 and "
        "later; --auth-version says which it is"
    )


def test_notes_on_versions() -> None:
    assert version_gaps(Span(Version(2, 192, 0))) == ()
    assert version_gaps(Span(None, Version(2, 116, 0))) == (
        "Auth is older than v2.116.0: the answers are those of v2.116.0",
    )


def test_without_the_header_the_cause_is_shown(smoke: Run) -> None:
    flows = ["signup-email", "signup-otp", "invite", "anonymous", "oauth-first", "admin-create"]
    results = by_flow(smoke(_REFUSING.format(sqlstate="P0001", event="INSERT"), flows))
    shown = Answer(500, "P0001", "no, <authenticated is full")
    assert {name: results[name].without_header for name in flows} == {
        "signup-email": shown,
        "signup-otp": shown,
        "invite": shown,
        "anonymous": None,
        "oauth-first": None,
        "admin-create": shown,
    }


def test_without_the_header_a_missing_table_is_not_shown(smoke: Run) -> None:
    results = by_flow(smoke(_REFUSING.format(sqlstate="42P01", event="INSERT"), ["signup-email", "invite"]))
    assert {result.without_header for result in results.values()} == {None}


def test_before_the_header_everybody_is_shown_the_cause(smoke: Run, fresh_database: Database) -> None:
    _migrated(fresh_database, "20240214120130")
    result = by_flow(smoke(_REFUSING.format(sqlstate="P0001", event="INSERT"), ["signup-email"]))["signup-email"]
    assert result.response == Answer(500, "P0001", "no, <authenticated is full")
    assert result.without_header is None
