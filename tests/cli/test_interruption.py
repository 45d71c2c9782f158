"""Ctrl-C, SIGTERM and SIGKILL: exit code 2 where there is one, nothing left in the database or among the files."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.cli import warm
from tests.cli.running import environment, left_by, run
from tests.cli.test_bad_input import TRAP
from tests.conftest import FreshDatabase


def start(*arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    return warm.start(*arguments, env=environment(), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


def sessions(connection: psycopg.Connection, state: str = "%") -> int:
    row = connection.execute(
        "select count(*) from pg_stat_activity where application_name = 'trigger-audit' and state like %s "
        "and datname = current_database() and pid <> pg_backend_pid()",
        (state,),
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_smoke_run_in_the_middle_of_a_statement(sent: signal.Signals, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(TRAP)
    with psycopg.connect(fresh_database.conninfo(), autocommit=True) as connection:
        with start("smoke", fresh_database.conninfo(), "--flow", "signup-email") as process:
            wait_until(lambda: sessions(connection, "active") == 1)
            process.send_signal(sent)
            # A killed client's backend notices at the next client_connection_check_interval.
            wait_until(lambda: sessions(connection) == 0)
            _, err = process.communicate(timeout=20)
        if sent is signal.SIGINT:
            assert process.returncode == 2
            assert "interrupted" in err
            assert "Traceback" not in err
        row = connection.execute("select count(*) from auth.users").fetchone()
        assert row == (0,)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_sandbox_goes_with_its_command(sent: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "trap.sql").write_text(TRAP)
    with start("smoke", str(tmp_path / "trap.sql"), "--flow", "signup-email") as process:
        wait_until(lambda: len(left_by(process.pid)) > 1)
        time.sleep(0.5)
        process.send_signal(sent)
        process.communicate(timeout=20)
    assert left_by(process.pid) == []


def test_the_next_run_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / "trap.sql").write_text(TRAP)
    with start("smoke", str(tmp_path / "trap.sql"), "--flow", "signup-email") as process:
        wait_until(lambda: len(left_by(process.pid)) > 1)
        process.kill()
        process.communicate(timeout=20)
    assert left_by(process.pid) != []
    assert run("scan", "-", stdin="select 1;").code == 0
    wait_until(lambda: left_by(process.pid) == [])


def test_ctrl_c_in_a_function_that_catches_the_cancellation(fresh_database: FreshDatabase) -> None:
    caught = "begin loop perform 1; end loop; exception when query_canceled then null; end;"
    fresh_database.apply(TRAP.replace("perform 1;", caught))
    with psycopg.connect(fresh_database.conninfo(), autocommit=True) as connection:
        with start("smoke", fresh_database.conninfo(), "--flow", "signup-email") as process:
            wait_until(lambda: sessions(connection, "active") == 1)
            time.sleep(0.3)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
            assert time.monotonic() - sent < 6
            wait_until(lambda: sessions(connection) == 0, 1)
        assert process.returncode == 2
        assert [line for line in err.splitlines() if not line.startswith(("target:", "note:"))] == [
            "error: interrupted; nothing was kept"
        ]
