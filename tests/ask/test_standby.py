"""A hot standby cannot parse writes: the catalog's own relations and columns are asked for instead."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.ask.asked import Case, ask_one, job_of, make, told
from tests.conftest import FreshDatabase
from trigger_audit.catalog.load import load_catalog
from trigger_audit.sandbox.server import Sandbox

CASE = Case(
    "standby",
    "insert into profiles (id, nope) values (new.uid, 'x'); insert into gone values (1); perform new.missing; "
    "update profiles set email = 'x', wrong = 1 where id = new.id; delete from profiles; "
    "perform 1 from profiles for update; return new;",
)


@pytest.fixture
def standby(fresh_database15: FreshDatabase, postgres15: Sandbox, postgres15_binaries: Path) -> Iterator[str]:
    """The conninfo of a standby of the server, with the case in it: a base backup that waits for more WAL."""
    with psycopg.connect(fresh_database15.conninfo()) as connection:
        make(connection, CASE)
    folder = postgres15.socket_directory.parent / "standby"
    try:
        with psycopg.connect(fresh_database15.conninfo(), autocommit=True) as connection:
            connection.execute("SELECT pg_backup_start('standby', true)")
            shutil.copytree(postgres15.data_directory, folder, ignore=shutil.ignore_patterns("postmaster.*"))
            row = connection.execute("SELECT labelfile FROM pg_backup_stop(false)").fetchone()
        assert row is not None
        shutil.copytree(postgres15.data_directory / "pg_wal", folder / "pg_wal", dirs_exist_ok=True)
        (folder / "backup_label").write_text(row[0])
        (folder / "standby.signal").touch()
        owner = postgres15.data_directory.stat()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(postgres15.socket_directory), "port": "5439",
            "fsync": "off", "max_locks_per_transaction": "256", "shared_buffers": "32MB", "hot_standby": "on",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        process = subprocess.Popen(
            [postgres15_binaries / "postgres", "-D", folder, *options],
            cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, **account,
        )  # fmt: skip
        try:
            yield _reached(make_conninfo(fresh_database15.conninfo(), port=5439))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reached(conninfo: str) -> str:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return conninfo


def test_writes_are_looked_up_in_parts(standby: str) -> None:
    with psycopg.connect(standby, prepare_threshold=None) as connection:
        connection.read_only = True
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        catalog = load_catalog(connection)
        job = job_of(catalog)
        complaints, answers = ask_one(connection, catalog, job)
        assert told(job, complaints) == (
            ("42703", "nope"),
            ("42P01", "gone"),
            ("42703", "new.missing"),
            ("42703", "wrong"),
        )
        assert len(answers.unasked) == 1
        assert "a standby parses no writes" in answers.unasked[0][2]
