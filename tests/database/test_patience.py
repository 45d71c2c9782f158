"""Servers that accept and then say nothing, or fall silent in the middle: an error in bounded time, never a wait."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import FreshDatabase
from trigger_audit.analysis.questions.model import Question
from trigger_audit.ask import pipeline
from trigger_audit.cli import main
from trigger_audit.database import patience
from trigger_audit.database.connect import connect, read_only
from trigger_audit.database.dsn import parse_dsn

# AuthenticationOk, ParameterStatus, BackendKeyData, ReadyForQuery: what a server says before the first statement.
_WELCOME = b"R\0\0\0\x08\0\0\0\0S\0\0\0\x16server_version\x0018\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x01Z\0\0\0\x05I"


@contextlib.contextmanager
def dumb_server(welcome: bytes) -> Iterator[int]:
    """A port where somebody accepts, answers the start-up message with `welcome`, and then says no more."""
    taken: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                taken.append(listener.accept()[0])
                if welcome:
                    taken[-1].recv(10_000)
                    taken[-1].sendall(welcome)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in taken:
        connection.close()


@contextlib.contextmanager
def stopped_soon(connection: psycopg.Connection) -> Iterator[None]:
    """Stops the server process behind the connection in a moment, and lets it go on in the end."""
    pid = connection.info.backend_pid
    timer = threading.Timer(0.2, os.kill, (pid, signal.SIGSTOP))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        os.kill(pid, signal.SIGCONT)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SILENCE", 0.6)
    monkeypatch.setattr(pipeline, "SILENCE", 0.6)


@pytest.mark.parametrize("command", ["scan", "smoke"])
@pytest.mark.parametrize("welcome", [b"", _WELCOME], ids=["no welcome", "welcome"])
def test_a_command_on_a_dumb_server(
    command: str, welcome: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    with dumb_server(welcome) as port:
        url = f"postgresql://me:geheim@127.0.0.1:{port}/db?connect_timeout=2&sslmode=disable"
        monkeypatch.setattr(sys, "argv", ["trigger-audit", command, url])
        with pytest.raises(SystemExit) as ended:
            main.run()
    assert ended.value.code == 2
    assert time.monotonic() - started < 8
    said = capsys.readouterr()
    assert said.out == ""
    (error,) = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert f"127.0.0.1:{port} does not answer in time" in error
    assert "geheim" not in said.err


def test_a_server_process_that_stops_in_a_statement(fresh_database: FreshDatabase) -> None:
    with connect(parse_dsn(fresh_database.conninfo())) as connection:
        started = time.monotonic()
        with (
            stopped_soon(connection),
            pytest.raises(psycopg.OperationalError, match="not a word"),
            read_only(connection),
        ):
            connection.execute("SELECT pg_sleep(0.5)")
        assert connection.closed
        assert time.monotonic() - started < 5


def test_a_server_process_that_stops_among_the_questions(fresh_database: FreshDatabase) -> None:
    questions = [Question((), "SELECT 1", ())] * 20_000
    with connect(parse_dsn(fresh_database.conninfo())) as connection:
        started = time.monotonic()
        with (
            stopped_soon(connection),
            pytest.raises(psycopg.OperationalError, match="not a word"),
            read_only(connection),
        ):
            pipeline.describe(connection, questions)
        assert connection.closed
        assert time.monotonic() - started < 12


def test_a_long_statement_is_not_silence_to_a_server_that_works(fresh_database: FreshDatabase) -> None:
    with connect(parse_dsn(fresh_database.conninfo())) as connection, read_only(connection):
        row = connection.execute("SELECT count(pg_sleep(0.01)), pg_sleep(0.3) FROM generate_series(1, 20)").fetchone()
        assert row is not None
        rows = connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 20000)").fetchall()
        assert len(rows) == 20_000
