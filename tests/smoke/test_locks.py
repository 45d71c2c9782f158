"""What a run locks, seen from another session in pg_locks after every request, and whom that holds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.conftest import FreshDatabase
from tests.smoke.conftest import by_flow, users
from tests.smoke.proving import apply_as_postgres, on_users
from tests.smoke.wire import dsn, socket_of, wire_to
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, smoke
from trigger_audit.smoke.model import Outcome, SmokeReport

ORDINARY = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}
SHARED = """
    CREATE FUNCTION public.both() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN IF TG_NAME = 'bad' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END$$;
"""
ON_USERS = (
    SHARED
    + """
    CREATE TRIGGER bad AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.both();
    CREATE TRIGGER good AFTER UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.both();
"""
)
PROFILES = "CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE);" + on_users(
    "on_new", "  INSERT INTO public.profiles VALUES (NEW.id);\n  RETURN NEW;"
)
ON_PROFILES = (
    PROFILES
    + SHARED
    + """
    CREATE TRIGGER bad AFTER INSERT ON public.profiles FOR EACH ROW EXECUTE FUNCTION public.both();
    CREATE TRIGGER good AFTER UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION public.both();
"""
)
LOCKS = """
    SELECT n.nspname || '.' || c.relname, l.mode
    FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE l.granted AND l.pid <> pg_backend_pid() AND c.relkind IN ('r', 'p')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def outsider(database: FreshDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.conninfo(), autocommit=True, application_name="outside") as connection:
        connection.execute("SET lock_timeout = 200")
        yield connection


def prove(
    database: FreshDatabase,
    at_answer: Callable[[bytes], None],
    *,
    allow_locks: bool,
    unmask: bool = True,
    role: str = "supabase_admin",
) -> SmokeReport:
    asked = SmokeOptions(flows=("signup-email", "login"), payloads=("bare",), allow_locks=allow_locks, unmask=unmask)
    with (
        wire_to(socket_of(database), at_answer=at_answer) as wire,
        psycopg.connect(dsn(database, wire, role), autocommit=True, prepare_threshold=None) as connection,
    ):
        report = smoke(connection, TargetInfo("sql", "test", "", "supabase"), asked).report
    assert report.rolled_back
    assert users(database) == 0
    return report


class Seen:
    """The locks on tables after each request; `between`: those held where no replay is under way."""

    def __init__(self, other: psycopg.Connection) -> None:
        self.other = other
        self.locks: set[tuple[str, str]] = set()
        self.between: set[tuple[str, str]] = set()
        self.replays_with_strong: int = 0
        self._strong = False

    def __call__(self, request: bytes) -> None:
        now = set(self.other.execute(LOCKS.encode()).fetchall())
        self.locks |= now
        strong = any(mode not in ORDINARY for _, mode in now)
        if strong and not self._strong:
            self.replays_with_strong += 1
        self._strong = strong
        if b"RELEASE SAVEPOINT flow" in request:
            self.between |= now

    @property
    def strong(self) -> set[tuple[str, str]]:
        return {(table, mode) for table, mode in self.locks if mode not in ORDINARY}


@pytest.mark.parametrize("sql", [ON_USERS, ON_PROFILES], ids=["auth.users", "public.profiles"])
def test_without_leave_nothing_stronger_than_an_insert_takes(sql: str, fresh_database: FreshDatabase) -> None:
    apply_as_postgres(fresh_database, sql + on_users("quiet", "  BEGIN\n    PERFORM 1 / 0;\n"
        "  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n  RETURN NEW;"))  # fmt: skip
    with outsider(fresh_database) as other:
        seen = Seen(other)
        report = prove(fresh_database, seen, allow_locks=False)
    assert ("auth.users", "RowExclusiveLock") in seen.locks
    assert seen.strong == set()
    assert {toggle.lock for toggle in report.toggles} == {"RowExclusiveLock"}
    assert report.strongest_lock == "RowExclusiveLock"
    assert report.locked == ("auth.users",)
    (culprit,) = by_flow(report)["signup-email"].culprits
    assert {name.rpartition(".")[2] for name in (culprit.name, *culprit.group)} == {"bad", "good"}


@pytest.mark.parametrize(
    ("sql", "table"), [(ON_USERS, "auth.users"), (ON_PROFILES, "public.profiles")], ids=["users", "profiles"]
)
def test_with_leave_for_one_replay_at_a_time(sql: str, table: str, fresh_database: FreshDatabase) -> None:
    apply_as_postgres(fresh_database, sql)
    with outsider(fresh_database) as other:
        seen = Seen(other)
        report = prove(fresh_database, seen, allow_locks=True)
    assert seen.strong == {(table, "ShareRowExclusiveLock")}
    assert {mode for _, mode in seen.between} <= ORDINARY
    assert seen.replays_with_strong > 1
    assert report.strongest_lock == "ShareRowExclusiveLock"
    assert report.locked == tuple(dict.fromkeys(("auth.users", table)))
    (culprit,) = by_flow(report)["signup-email"].culprits
    assert (culprit.name, culprit.group) == (f"{table}.bad", ())


SIGN_UP = "INSERT INTO auth.users (id, email) VALUES ('00000000-0000-0000-0000-000000000009', 'other@example.org')"
REPLACEMENT = "CREATE OR REPLACE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
MINE = on_users("mine", "  IF NEW.email LIKE 'trigger-audit-%' THEN RAISE EXCEPTION 'no'; END IF;\n  RETURN NEW;")


def test_who_waits_for_a_function_that_is_replaced(fresh_database: FreshDatabase) -> None:
    """A sign-up does not, and runs the body that is committed; who replaces the same function does."""
    apply_as_postgres(fresh_database, MINE + "CREATE TABLE public.ran (body text);")
    apply_as_postgres(fresh_database, on_users("other", "  INSERT INTO public.ran VALUES ('x');\n  RETURN NEW;"))
    tried: list[str] = []

    with outsider(fresh_database) as other:

        def try_both(request: bytes) -> None:
            if b'FUNCTION "public"."mine"' in request:
                with other.transaction(force_rollback=True):
                    other.execute(SIGN_UP.encode())
                    other.execute("UPDATE auth.users SET role = 'x' WHERE email = 'other@example.org'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    other.execute(REPLACEMENT.encode())
                tried.append("while it is replaced")

        report = prove(fresh_database, try_both, allow_locks=False)
        other.execute(REPLACEMENT.encode())
    assert tried
    result = by_flow(report)["signup-email"]
    assert result.outcome is Outcome.FAIL
    assert [culprit.name for culprit in result.culprits] == ["auth.users.mine"]


def test_who_waits_for_a_lock_on_the_table(fresh_database: FreshDatabase) -> None:
    """Writers do, until the replay ends; readers and those who reference a user do not. That is what leave is for."""
    apply_as_postgres(fresh_database, ON_USERS)
    outcomes: list[tuple[bool, bool]] = []

    with outsider(fresh_database) as other:

        def writes() -> bool:
            try:
                with other.transaction(force_rollback=True):
                    other.execute("DELETE FROM auth.users WHERE false")
            except psycopg.errors.LockNotAvailable:
                return False
            return True

        def try_all(request: bytes) -> None:
            if b"OR REPLACE TRIGGER" in request and not outcomes:
                other.execute("SELECT count(*) FROM auth.users")
                other.execute("SELECT FROM auth.users FOR KEY SHARE")  # as the check of a foreign key does
                outcomes.append((True, writes()))
            elif b"RELEASE SAVEPOINT flow" in request and len(outcomes) == 1:
                outcomes.append((False, writes()))

        prove(fresh_database, try_all, allow_locks=True)
    assert outcomes == [(True, False), (False, True)]
