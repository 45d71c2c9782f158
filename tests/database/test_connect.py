"""Connections that work, and transactions that read only and leave nothing behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from trigger_audit.database.connect import connect, read_only, roll_back
from trigger_audit.database.dsn import Dsn, parse_dsn
from trigger_audit.database.problems import explain, explained
from trigger_audit.errors import TriggerAuditError

from .servers import LENIENT_PASSWORD, PASSWORD, PasswordServer


def _spellings(server: PasswordServer) -> dict[str, str]:
    from urllib.parse import quote, quote_plus

    encoded = quote(PASSWORD, safe="")
    place = f"127.0.0.1:{server.port}/postgres"
    return {
        "url": server.url("insider"),
        "postgres": server.url("insider", scheme="postgres"),
        "sqlalchemy": server.url("insider", scheme="postgresql+psycopg2"),
        "asyncpg": server.url("insider", scheme="postgresql+asyncpg", query="?ssl=prefer"),
        "prisma": server.url("insider", query="?schema=public&pgbouncer=true&connection_limit=1"),
        "jdbc": f"jdbc:postgresql://{place}?user=insider&password={quote_plus(PASSWORD)}&currentSchema=public",
        "query": f"postgresql://{place}?user=insider&password={encoded}",
        "conninfo": make_conninfo(
            host="127.0.0.1", port=server.port, dbname="postgres", user="insider", password=PASSWORD
        ),
        "unencoded": f"postgresql://lenient:{LENIENT_PASSWORD}@{place}",
        "unencoded with a query": f"postgresql://lenient:{LENIENT_PASSWORD}@{place}?sslmode=prefer&schema=public",
        "quoted": f'"{server.url("insider")}"',
    }


@pytest.mark.parametrize(
    "form",
    [
        "url", "postgres", "sqlalchemy", "asyncpg", "prisma", "jdbc", "query", "conninfo", "unencoded",
        "unencoded with a query", "quoted",
    ],
)  # fmt: skip
def test_special_characters_in_the_password(password_server: PasswordServer, form: str) -> None:
    dsn = parse_dsn(_spellings(password_server)[form])
    with connect(dsn) as connection:
        row = connection.execute("SELECT session_user, current_setting('application_name')").fetchone()
    assert row == (dsn.user, "trigger-audit")
    assert dsn.name == "127.0.0.1/postgres"


def _status(connection: psycopg.Connection) -> TransactionStatus:
    return connection.info.transaction_status


def _after(event: Callable[[], object]) -> Callable[..., None]:
    """A read-only transaction in which something happens before its last statement."""

    def run(connection: psycopg.Connection, **time_outs: int) -> None:
        with read_only(connection, **time_outs):
            event()
            connection.execute("SELECT 1")

    return run


def test_nothing_is_prepared_and_nothing_set_for_the_session(insider: Dsn) -> None:
    with connect(insider) as connection:
        for number in range(10):
            connection.execute("SELECT %s::integer", [number])
        prepared = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        changed = connection.execute(
            """SELECT name FROM pg_settings
            WHERE source IN ('client', 'session') AND name NOT IN ('application_name', 'client_encoding')"""
        ).fetchall()
        assert connection.autocommit is False
    assert prepared == (0,)
    assert changed == []


def test_read_only_sets_time_outs_for_the_transaction_alone(insider: Dsn) -> None:
    query = """SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),
        current_setting('statement_timeout'), current_setting('lock_timeout'),
        current_setting('idle_in_transaction_session_timeout'), current_setting('client_connection_check_interval')"""
    with connect(insider) as connection:
        with read_only(connection, statement_timeout_ms=7_000, lock_timeout_ms=1_500, idle_timeout_ms=60_000):
            inside = connection.execute(query).fetchone()
        after = connection.execute(query).fetchone()
    assert inside == ("repeatable read", "on", "7s", "1500ms", "1min", "2s")
    assert after == ("read committed", "off", "0", "0", "0", "0")


def test_read_only_refuses_a_write_and_leaves_the_connection_idle(password_server: PasswordServer) -> None:
    dsn = parse_dsn(password_server.url())
    with connect(dsn) as connection:
        with pytest.raises(TriggerAuditError, match="only reads"), explained(dsn), read_only(connection):
            connection.execute("INSERT INTO public.kept VALUES (1)")
        assert _status(connection) is TransactionStatus.IDLE
        assert connection.execute("SELECT count(*) FROM public.kept").fetchone() == (0,)


def test_read_only_ends_in_a_rollback(password_server: PasswordServer) -> None:
    # A session's setting is what READ ONLY lets through, and what would stay after a commit.
    with connect(parse_dsn(password_server.url())) as connection:
        with read_only(connection):
            connection.execute("SELECT set_config('trigger_audit.kept', 'yes', false)")
        assert connection.execute("SELECT current_setting('trigger_audit.kept', true)").fetchone() in ((None,), ("",))


def test_statement_time_out(insider: Dsn) -> None:
    with connect(insider) as connection:
        with (
            pytest.raises(TriggerAuditError, match="statement_timeout"),
            explained(insider),
            read_only(connection, statement_timeout_ms=50),
        ):
            connection.execute("SELECT pg_sleep(20)")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_lock_time_out(password_server: PasswordServer) -> None:
    dsn = parse_dsn(password_server.url())
    with password_server.open() as other, other.transaction(), connect(dsn) as connection:
        other.execute("LOCK TABLE public.kept")
        with (
            pytest.raises(TriggerAuditError, match="lock_timeout"),
            explained(dsn),
            read_only(connection, lock_timeout_ms=50),
        ):
            connection.execute("SELECT * FROM public.kept")


def test_an_idle_transaction_is_ended_by_the_server(insider: Dsn) -> None:
    with connect(insider) as connection:
        statements = _after(lambda: time.sleep(0.3))
        with pytest.raises(TriggerAuditError, match="idle"), explained(insider):
            statements(connection, idle_timeout_ms=50)
        assert connection.closed


def test_a_lost_connection_is_said_plainly(password_server: PasswordServer, insider: Dsn) -> None:
    with connect(insider) as connection:
        with password_server.open() as other:
            pid = connection.info.backend_pid
            statements = _after(lambda: other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]))
            with pytest.raises(TriggerAuditError, match="was lost"), explained(insider):
                statements(connection)
        assert connection.closed


def test_ctrl_c_cancels_the_statement(password_server: PasswordServer, insider: Dsn) -> None:
    with connect(insider) as connection:
        pid = connection.info.backend_pid
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        started = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt), read_only(connection):
            connection.execute("SELECT pg_sleep(25)")
        timer.join()
        assert time.monotonic() - started < 10
        assert _status(connection) is TransactionStatus.IDLE
        with password_server.open() as other:
            state = other.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
        assert state == ("idle",)


def test_roll_back_cancels_what_still_runs(insider: Dsn) -> None:
    with connect(insider) as connection:
        connection.execute("SELECT 1")
        connection.pgconn.send_query(b"SELECT pg_sleep(25)")
        assert _status(connection) is TransactionStatus.ACTIVE
        started = time.monotonic()
        roll_back(connection)
        assert time.monotonic() - started < 10
        assert connection.closed or _status(connection) is TransactionStatus.IDLE


def test_sql_ascii_text_that_is_no_utf8(password_server: PasswordServer) -> None:
    dsn = parse_dsn(password_server.url("insider", database="ascii"))
    with connect(dsn) as connection, read_only(connection):
        row = connection.execute(
            r"""SELECT E'caf\xe9', E'caf\xe9'::name, ARRAY[E'caf\xe9'], E'["caf\xe9"]'::json, E'\xff\xfe'"""
        ).fetchone()
        assert row == ("café", "café", ["café"], ["café"], "ÿþ")
        # What was read means the same bytes to the server again.
        back = connection.execute(
            sql.SQL("SELECT %s = E'\\xff\\xfe', 1 AS {name}").format(name=sql.Identifier("ÿþ")), [row[4]]
        )
        assert back.fetchone() == (True, 1)
        assert back.description is not None
        assert back.description[1].name == "ÿþ"
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(r"SELECT E'caf\xe9'::integer")
    assert "café" in explain(caught.value, dsn).message


def test_latin1_is_converted(password_server: PasswordServer) -> None:
    dsn = parse_dsn(password_server.url("insider", database="latin"))
    with connect(dsn) as connection:
        with read_only(connection):
            assert connection.execute("SELECT chr(233), %s", ["é"]).fetchone() == ("é", "é")
        with pytest.raises(TriggerAuditError, match="no equivalent"), explained(dsn), read_only(connection):
            connection.execute("SELECT %s", ["€"])
