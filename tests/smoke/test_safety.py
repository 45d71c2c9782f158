"""Nothing is left behind, whatever happens, and what cannot be undone is refused."""

from __future__ import annotations

import signal
import threading
from typing import Any

import psycopg
import pytest

from tests.smoke.conftest import Database, Run, connect, users
from tests.smoke.test_failing import trigger
from trigger_audit.analysis.model import Hazard
from trigger_audit.auth.values import Probe
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.smoke.payloads import Probes
from trigger_audit.smoke.runner import run_smoke


def run(connection: psycopg.Connection, **options: object) -> object:
    arguments: dict[str, object] = {"flows": ["signup-email"], "hazards": (), "allow_side_effects": False, "target": {}}
    return run_smoke(connection, **{**arguments, **options})  # type: ignore[arg-type]


def test_hazards_are_refused_with_function_and_line(fresh_database: Database) -> None:
    hazard = Hazard("public.audited()", 7, "http_post", "sends a request")
    with connect(fresh_database) as connection:
        with pytest.raises(TriggerAuditError, match=r"public\.audited\(\) line 7 calls http_post"):
            run(connection, hazards=[hazard])
        run(connection, hazards=[hazard], allow_side_effects=True)


def test_an_unknown_flow(fresh_database: Database) -> None:
    with connect(fresh_database) as connection, pytest.raises(UsageError, match="no flow 'sign-up'"):
        run(connection, flows=["sign-up"])


def test_a_read_only_database(fresh_database: Database) -> None:
    with connect(fresh_database) as owner:
        name = owner.info.dbname
        owner.execute(psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
            psycopg.sql.Identifier(name)
        ))  # fmt: skip
    try:
        with connect(fresh_database) as connection, pytest.raises(TriggerAuditError, match="only read here"):
            run(connection)
    finally:
        with connect(fresh_database) as owner:
            owner.execute("SET default_transaction_read_only = off")
            owner.execute(psycopg.sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(
                psycopg.sql.Identifier(name)
            ))  # fmt: skip


def test_a_database_without_auth(fresh_database: Database) -> None:
    with psycopg.connect(fresh_database.conninfo("supabase_admin"), dbname="template1", autocommit=True) as connection:
        with pytest.raises(TriggerAuditError, match=r"no auth\.users"):
            run(connection)
        assert connection.autocommit


def test_a_role_that_may_not_write(fresh_database: Database) -> None:
    with (
        connect(fresh_database, "authenticator") as connection,
        pytest.raises(TriggerAuditError, match="authenticator"),
    ):
        run(connection)


def test_a_connection_in_a_transaction(fresh_database: Database) -> None:
    with connect(fresh_database) as connection:
        connection.execute("BEGIN")
        with pytest.raises(TriggerAuditError, match="transaction already"):
            run(connection)


def test_session_advisory_locks_are_given_back(smoke: Run, fresh_database: Database) -> None:
    sql = trigger("  PERFORM pg_advisory_lock(4711);\n  RETURN NEW;", "AFTER INSERT ON auth.users")
    with connect(fresh_database) as connection:
        connection.execute(sql.encode())
        run(connection)
        row = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert row == (0,)


def test_ctrl_c(fresh_database: Database) -> None:
    sql = trigger("  PERFORM pg_sleep(5);\n  RETURN NEW;", "AFTER INSERT ON auth.users")
    with connect(fresh_database) as connection:
        connection.execute(sql.encode())
        timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                run(connection)
        finally:
            timer.cancel()
        assert connection.closed or connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert users(fresh_database) == 0


def test_a_lost_connection(fresh_database: Database) -> None:
    sql = trigger("  PERFORM pg_terminate_backend(pg_backend_pid());\n  RETURN NEW;", "AFTER INSERT ON auth.users")
    with connect(fresh_database) as owner:
        owner.execute(sql.encode())
    connection = connect(fresh_database)
    with pytest.raises(TriggerAuditError, match="broke off"):
        run(connection)
    connection.close()
    assert users(fresh_database) == 0


def test_a_transaction_that_a_trigger_ends_fails(smoke: Run) -> None:
    sql = trigger("  COMMIT;\n  RETURN NEW;", "AFTER INSERT ON auth.users")
    step = smoke(sql, ["signup-email"]).flows[0].failed_step
    assert step is not None
    assert step.sqlstate == "2D000"


def test_rows_that_are_left_are_told(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Probes.user

    def also_known(self: Probes, *arguments: Any) -> dict[Probe, object]:
        self.emails.append("trigger-audit-0@example.com")
        return make(self, *arguments)

    monkeypatch.setattr(Probes, "user", also_known)
    with connect(fresh_database) as connection:
        connection.execute(
            "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'trigger-audit-0@example.com')"
        )
        report = run_smoke(connection, flows=["invite"], hazards=(), allow_side_effects=False, target={})
    assert not report.rolled_back
    assert report.not_verified == (
        "rows of the probe users are left in auth.users (1): their e-mail is like 'trigger-audit-%@example.%'"
    )
