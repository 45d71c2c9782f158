"""Functions that statement_timeout does not stop are ended with their connection, and nothing of ours lives on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.conftest import FreshDatabase
from tests.smoke.conftest import by_flow, connect, users
from tests.smoke.test_failing import trigger
from trigger_audit.errors import TriggerAuditError
from trigger_audit.smoke import watch
from trigger_audit.smoke.model import Outcome, SmokeReport
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.session import Limits

QUICK = Limits(statement=300, lock=200, check_interval=300)
# Where a sound statement must not be stopped, however busy the machine is.
PATIENT = Limits(statement=1500, lock=200, check_interval=300)

CAUGHT = "  LOOP\n    BEGIN\n      {}\n    EXCEPTION WHEN query_canceled THEN NULL;\n    END;\n  END LOOP;"
ENDLESS = {
    "sleeping": CAUGHT.format("PERFORM pg_sleep(1);"),
    "never sleeping": CAUGHT.format("FOR i IN 1 .. 1000000 LOOP NEW.phone := NULL; END LOOP;"),
}
# The setting is read when its timer fires, so the first look comes all the same.
UNWATCHED = "  PERFORM set_config('client_connection_check_interval', '0', false);\n" + ENDLESS["never sleeping"]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_SURPLUS", 0.2)
    monkeypatch.setattr(watch, "_AFTER_CTRL_C", 0.3)


@pytest.fixture(params=["18", pytest.param("15", marks=pytest.mark.extended)])
def database(request: pytest.FixtureRequest) -> Iterator[FreshDatabase]:
    found: FreshDatabase = request.getfixturevalue("fresh_database" if request.param == "18" else "fresh_database15")
    yield found
    assert backends(found) == []


def backends(database: FreshDatabase, patience: float = 5) -> list[tuple[int, str]]:
    """What still runs there. A session that has ended may be shown for a moment; one that has not stays for good."""
    ends = time.monotonic() + patience
    with connect(database) as connection:
        while True:
            rows = connection.execute(
                "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchall()
            if not rows or time.monotonic() > ends:
                return [(int(pid), str(query)) for pid, query in rows]
            time.sleep(0.02)


def smoke(database: FreshDatabase, flows: list[str], limits: Limits = QUICK) -> SmokeReport:
    with connect(database) as connection:
        return run_smoke(connection, flows=flows, hazards=(), allow_side_effects=False, target={}, limits=limits)


def apply(database: FreshDatabase, body: str, when: str = "BEFORE INSERT OR UPDATE ON auth.users") -> None:
    database.apply(trigger(body + "\n  RETURN NEW;", when), role="supabase_admin")


def nothing_left(database: FreshDatabase) -> None:
    assert users(database) == 0
    assert backends(database) == []
    with connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


INSIDE = "  PERFORM pg_advisory_lock(4712);\n"


@contextmanager
def once_inside(database: FreshDatabase, act: Callable[[int], None]) -> Iterator[list[float]]:
    """Calls `act` with the number of the server process that has come to INSIDE, and yields what will hold the time."""
    acted: list[float] = []
    given_up = threading.Event()

    def look() -> None:
        with connect(database) as connection:
            while not given_up.wait(0.02):
                found = connection.execute(
                    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted"
                ).fetchone()
                if found is not None:
                    acted.append(time.monotonic())
                    act(int(found[0]))
                    return

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield acted
    finally:
        given_up.set()
        looker.join()


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_an_endless_function_is_ended_and_the_others_go_on(kind: str, database: FreshDatabase) -> None:
    body = f"  IF NEW.is_anonymous THEN\n  PERFORM pg_advisory_lock(4711);\n{ENDLESS[kind]}\n  END IF;"
    apply(database, body)
    report = smoke(database, ["signup-email", "anonymous", "invite"], PATIENT)
    results = by_flow(report)
    assert results["signup-email"].outcome is Outcome.PASS
    assert results["invite"].outcome is Outcome.PASS
    result = results["anonymous"]
    assert result.outcome is Outcome.SKIPPED
    assert result.response is None
    assert result.reason is not None
    assert result.reason.startswith(
        "anonymous goes on past our statement_timeout of 1.5 s and had to be ended with its connection, in "
        "public.audited() line "
    )
    assert report.rolled_back
    assert report.not_verified is None
    nothing_left(database)


@pytest.mark.extended
def test_flows_that_start_from_a_user_of_the_endless_one_find_another_way(fresh_database: FreshDatabase) -> None:
    apply(fresh_database, ENDLESS["sleeping"], "BEFORE INSERT ON auth.users")
    report = smoke(fresh_database, ["signup-email", "magic-link"], PATIENT)
    results = by_flow(report)
    assert [result.outcome for result in report.flows[:4]] == [Outcome.SKIPPED] * 4
    result = results["magic-link"]
    assert result.outcome is Outcome.PASS
    assert result.reason is not None
    assert result.reason.startswith("starts from a user made with triggers off, because signup-")
    assert "goes on past our statement_timeout" in result.reason
    assert report.rolled_back
    nothing_left(fresh_database)


def test_a_trigger_that_waits_at_the_commit(database: FreshDatabase) -> None:
    database.apply(
        trigger(ENDLESS["sleeping"] + "\n  RETURN NEW;", "AFTER INSERT ON auth.users", name="late").replace(
            "CREATE TRIGGER late AFTER INSERT ON auth.users",
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON auth.users DEFERRABLE INITIALLY DEFERRED",
        ),
        role="supabase_admin",
    )
    (result,) = smoke(database, ["invite"], PATIENT).flows[:1]
    assert result.outcome is Outcome.SKIPPED
    assert "public.late() line" in str(result.reason)
    nothing_left(database)


def test_a_flow_of_many_slow_statements_has_a_limit_too(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_altogether", lambda _: 1.0)
    apply(fresh_database, "  PERFORM pg_sleep(0.4);", "BEFORE INSERT OR UPDATE ON auth.users")
    (result,) = smoke(fresh_database, ["signup-autoconfirm"], Limits(statement=2000)).flows[:1]
    assert result.outcome is Outcome.SKIPPED
    assert "signup-autoconfirm takes more than 1 s altogether" in str(result.reason)
    nothing_left(fresh_database)


@pytest.fixture
def no_second_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler or a full server: nobody gets in while the endless function runs."""

    def refused(self: watch.Watch) -> bool:
        return False

    monkeypatch.setattr(watch.Watch, "_terminate", refused)


@pytest.mark.usefixtures("no_second_connection")
@pytest.mark.parametrize("kind", list(ENDLESS))
def test_the_server_notices_a_closed_socket(kind: str, database: FreshDatabase) -> None:
    apply(database, ENDLESS[kind])
    (result,) = smoke(database, ["invite"]).flows[:1]
    assert result.outcome is Outcome.SKIPPED
    nothing_left(database)


@pytest.mark.usefixtures("no_second_connection")
def test_a_backend_that_cannot_be_ended_ends_the_run(database: FreshDatabase) -> None:
    apply(database, UNWATCHED)
    with pytest.raises(TriggerAuditError, match=r"invite goes on .* its server process could not be ended") as raised:
        smoke(database, ["invite"], PATIENT)
    assert raised.value.remedy is not None
    ((pid, _),) = backends(database, 0)
    assert f"pg_terminate_backend({pid})" in raised.value.remedy
    with connect(database) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    nothing_left(database)


@pytest.mark.extended
def test_a_login_without_a_second_connection(fresh_database: FreshDatabase) -> None:
    apply(fresh_database, ENDLESS["never sleeping"])
    with connect(fresh_database) as owner:
        owner.execute("CREATE ROLE only_one LOGIN CONNECTION LIMIT 1 IN ROLE supabase_auth_admin")
    try:
        with connect(fresh_database, "only_one") as connection:
            report = run_smoke(
                connection, flows=["invite"], hazards=(), allow_side_effects=False, target={}, limits=QUICK
            )
        assert report.flows[0].outcome is Outcome.SKIPPED
    finally:
        with connect(fresh_database) as owner:
            owner.execute("DROP ROLE only_one")
    nothing_left(fresh_database)


def test_only_our_own_transaction_is_ended(fresh_database: FreshDatabase) -> None:
    with connect(fresh_database) as other, watch.Watch(QUICK) as guardian:
        other.autocommit = False
        guardian.guard(other)
        guardian.follow()
        other.rollback()
        other.execute("SELECT 1")
        assert guardian.backend is not None
        assert not guardian._terminate(), "the process has gone on to another transaction"
        assert other.execute("SELECT 1").fetchone() == (1,)
        guardian.follow()
        assert guardian._terminate()
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")


@pytest.mark.parametrize("body", [*ENDLESS.values(), UNWATCHED])
def test_ctrl_c(body: str, database: FreshDatabase) -> None:
    apply(database, INSIDE + body)
    with (
        once_inside(database, lambda _: signal.raise_signal(signal.SIGINT)) as sent,
        pytest.raises(KeyboardInterrupt),
    ):
        smoke(database, ["invite"], Limits())
    # Without the watch it would be for good, and without its haste the limit of Limits and more.
    assert time.monotonic() - sent[0] < 6
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    nothing_left(database)


def test_a_server_process_that_stops_ends_the_run(fresh_database: FreshDatabase) -> None:
    apply(fresh_database, INSIDE + "  PERFORM pg_sleep(0.2);")
    with connect(fresh_database) as connection:
        pid = connection.info.backend_pid
        with once_inside(fresh_database, lambda inside: os.kill(inside, signal.SIGSTOP)) as stopped:
            try:
                with pytest.raises(TriggerAuditError, match="its server process could not be ended"):
                    run_smoke(connection, flows=None, hazards=(), allow_side_effects=False, target={}, limits=PATIENT)
                assert time.monotonic() - stopped[0] < 12
            finally:
                os.kill(pid, signal.SIGCONT)
    nothing_left(fresh_database)


def test_operators_of_the_database_are_not_used_to_end_it(fresh_database: FreshDatabase) -> None:
    apply(fresh_database, ENDLESS["sleeping"])
    with connect(fresh_database) as owner:
        owner.execute("CREATE SCHEMA traps")
        owner.execute("CREATE FUNCTION traps.never(int8, int8) RETURNS bool LANGUAGE sql RETURN false")
        owner.execute("CREATE OPERATOR traps.= (FUNCTION = traps.never, LEFTARG = int8, RIGHTARG = int8)")
        name = psycopg.sql.Identifier(owner.info.dbname)
        owner.execute(psycopg.sql.SQL("ALTER DATABASE {} SET search_path = traps, pg_catalog").format(name))
    with connect(fresh_database) as connection, watch.Watch(QUICK) as guardian:
        connection.autocommit = False
        guardian.guard(connection)
        connection.execute("SET LOCAL search_path = pg_temp")
        guardian.follow()
        assert guardian.backend is not None
        assert guardian._terminate()
        connection.close()
