"""Through PgBouncer: nothing of a run stays on the server's connections, which go to other clients next."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.running import run
from tests.cli.test_interruption import start, wait_until
from tests.conftest import FreshDatabase
from tests.smoke.conftest import by_flow, users
from tests.smoke.proving import apply_as_postgres, on_users
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, smoke
from trigger_audit.sandbox.binaries import as_account, server_account
from trigger_audit.smoke.model import Outcome, SmokeReport
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.session import Limits

SETTINGS = """
[databases]
{name} = host={host} port={port} dbname={name} user=supabase_admin
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
server_round_robin = 1
"""


@dataclass(frozen=True, slots=True)
class Pooler:
    database: FreshDatabase
    port: int

    def conninfo(self) -> str:
        plain = {"sslmode": "disable", "gssencmode": "disable", "application_name": "trigger-audit"}
        return make_conninfo(
            "", host="127.0.0.1", port=self.port, user="supabase_admin", dbname=self.database.name, **plain
        )

    def open(self) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(), autocommit=True, prepare_threshold=None)


@contextmanager
def pooling(database: FreshDatabase, folder: Path, mode: str, size: int) -> Iterator[Pooler]:
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PGBOUNCER IS NOT INSTALLED: the tests through a pooler are left out")
    server = conninfo_to_dict(database.conninfo())
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        listen = int(chosen.getsockname()[1])
    settings = folder / "pgbouncer.ini"
    known = {"host": server["host"], "port": server["port"], "name": database.name}
    settings.write_text(SETTINGS.format(**known, listen=listen, mode=mode, size=size))
    process = subprocess.Popen(
        [program, "-q", settings],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **as_account(server_account()),
    )
    pooler = Pooler(database, listen)
    try:
        wait_until(lambda: listens(listen))
        yield pooler
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the server's account can read, for its socket lets in nobody else."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def pooler(fresh_database: FreshDatabase, folder: Path) -> Iterator[Pooler]:
    """In transaction mode, with two connections to the server that take turns."""
    with pooling(fresh_database, folder, "transaction", 2) as pooler:
        assert len(states(pooler)) == 2
        yield pooler


State = tuple[object, ...]
STATE = """
    SELECT pg_backend_pid(), current_user, session_user, pg_my_temp_schema(),
           (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
           (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
           (SELECT array_agg(name || '=' || setting ORDER BY name) FROM pg_settings
            WHERE source = 'session' AND name <> 'application_name'),
           current_setting('request.jwt.claims', true), (SELECT count(*) FROM pg_cursors)
"""


def states(pooler: Pooler) -> list[State]:
    """What the next clients find, on each of the pooler's two connections to the server, by process."""
    with closing(pooler.open()) as one, closing(pooler.open()) as other:
        one.execute("BEGIN")
        other.execute("BEGIN")
        rows = [connection.execute(STATE.encode()).fetchone() for connection in (one, other)]
        one.execute("ROLLBACK")
        other.execute("ROLLBACK")
    return sorted(row for row in rows if row is not None)


PROJECT = (
    on_users("a_locks", "  PERFORM pg_catalog.pg_advisory_lock(4711);\n  RETURN NEW;")
    + on_users("b_hides", "  BEGIN\n    PERFORM 1 / 0;\n  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n  RETURN NEW;")
    + on_users("c_fails", "  RAISE EXCEPTION 'no';", "BEFORE UPDATE OF last_sign_in_at")
    + "CREATE TRIGGER c_again BEFORE DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.c_fails();"
)


def prove(pooler: Pooler) -> SmokeReport:
    asked = SmokeOptions(
        flows=("signup-email", "login"), allow_side_effects=True, allow_locks=True, unmask=True, payloads=("bare",)
    )
    with closing(pooler.open()) as connection:
        report = smoke(connection, TargetInfo("database", "test", "", "supabase"), asked).report
    assert report.rolled_back
    assert users(pooler.database) == 0
    return report


def test_nothing_stays_for_the_next_client(pooler: Pooler) -> None:
    apply_as_postgres(pooler.database, PROJECT)
    before = states(pooler)
    results = prove(pooler)
    assert by_flow(results)["signup-email"].outcome is Outcome.PASS
    assert [culprit.name for culprit in by_flow(results)["login"].culprits] == ["auth.users.c_fails"]
    assert [error.trigger for error in results.hidden_errors] == ["auth.users.b_hides"]
    assert results.session.gaps == ()
    assert states(pooler) == before
    assert prove(pooler).flows[0].outcome is Outcome.PASS
    assert states(pooler) == before


def test_the_lock_of_another_client_stays_his(pooler: Pooler) -> None:
    with closing(pooler.open()) as one, closing(pooler.open()) as other:
        for connection in (one, other):
            connection.execute("BEGIN")
        for number, connection in enumerate((one, other)):
            connection.execute("SELECT pg_advisory_lock(%s)", (number,))
            connection.execute("COMMIT")
    before = states(pooler)
    gaps = prove(pooler).session.gaps
    assert [gap for gap in gaps if "advisory locks of another client" in gap]
    assert states(pooler) == before


def test_a_killed_process(pooler: Pooler) -> None:
    apply_as_postgres(pooler.database, on_users("sleeps", "  PERFORM pg_catalog.pg_sleep(60);\n  RETURN NEW;"))
    with (
        psycopg.connect(pooler.database.conninfo(), autocommit=True) as outside,
        start("smoke", pooler.conninfo(), "--flow", "signup-email") as process,
    ):

        def asleep() -> int:
            row = outside.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            ).fetchone()
            assert row is not None
            return int(row[0])

        wait_until(lambda: asleep() == 1)
        process.kill()
        process.communicate(timeout=20)
        wait_until(lambda: asleep() == 0, 8)
    assert users(pooler.database) == 0
    assert {state[4] for state in states(pooler)} == {0}


@pytest.mark.extended
def test_a_function_that_does_not_end(fresh_database: FreshDatabase, folder: Path) -> None:
    """It is ended over a second connection, by the process that the server gave, which the pooler does not tell."""
    loops = (
        "  LOOP\n    BEGIN\n      LOOP PERFORM 1; END LOOP;\n    EXCEPTION WHEN query_canceled THEN NULL;\n    END;\n"
    )
    apply_as_postgres(fresh_database, on_users("loops", loops + "  END LOOP;"))
    limits = Limits(statement=500, lock=300, check_interval=500)
    with pooling(fresh_database, folder, "transaction", 2) as pooler, closing(pooler.open()) as connection:
        report = run_smoke(connection, flows=["invite"], hazards=(), allow_side_effects=False, target={}, limits=limits)
    assert {result.outcome for result in report.flows} == {Outcome.SKIPPED}
    assert report.rolled_back


def test_a_pooler_that_allows_no_transactions(fresh_database: FreshDatabase, folder: Path) -> None:
    with pooling(fresh_database, folder, "statement", 1) as pooler:
        told = run("smoke", pooler.conninfo())
    assert told.code == 2
    assert told.error == (
        f"error: the pooler at 127.0.0.1:{pooler.port} allows no transactions (statement mode) "
        "(use a pooler in session or transaction mode, or the direct connection)"
    )
