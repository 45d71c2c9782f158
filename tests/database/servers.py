"""A PostgreSQL of its own that asks for passwords, over loopback: what the sandbox, with its socket, never does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from trigger_audit.sandbox.binaries import (
    Account,
    Binaries,
    as_account,
    find_binaries,
    server_account,
    server_environment,
    within_reach,
)

SUPERUSER = "keeper"
PASSWORD = """p@ss/w#rd?100%&a=b:c+d e'f"g\\h"""
# @ / # ? and nothing else: what a URL survives unencoded.
LENIENT_PASSWORD = "p@ss/w#rd?"
_INSTALLED = Path("/usr/lib/postgresql/15/bin")


@dataclass(frozen=True, slots=True)
class PasswordServer:
    """A running server; `log` is where its messages go."""

    port: int
    log: Path

    def url(
        self,
        user: str = SUPERUSER,
        password: str = PASSWORD,
        database: str = "postgres",
        *,
        scheme: str = "postgresql",
        query: str = "",
    ) -> str:
        """A well-formed URL, percent-encoded."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{scheme}://{login}@127.0.0.1:{self.port}/{database}{query}"

    def open(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as the superuser, with autocommit and without any of what is tested."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, password=PASSWORD, dbname=database, autocommit=True
        )


class Cluster:
    """A data directory, and the server that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.account: Account | None = server_account()
        if self.account is not None:
            _give(folder, self.account)
        found = find_binaries(_INSTALLED if (_INSTALLED / "initdb").exists() else None)
        self.binaries: Binaries = within_reach(found, self.account, folder)
        self.data = folder / "data"

    def initialise(self) -> None:
        """initdb with scram passwords for those in the role insiders, and for nobody else."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        self._run(
            "initdb", "-D", self.data, "--username", SUPERUSER, "--pwfile", secret, "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        (self.data / "pg_hba.conf").write_text(
            f"host all {SUPERUSER} 127.0.0.1/32 scram-sha-256\nhost all +insiders 127.0.0.1/32 scram-sha-256\n"
        )

    def copy(self, folder: Path) -> Cluster:
        """A standby made from this cluster, which must not run: it waits for WAL that never comes."""
        other = Cluster(folder)
        shutil.copytree(self.data, other.data)
        (other.data / "standby.signal").touch()
        if other.account is not None:
            _give(other.folder, other.account)
        return other

    @contextlib.contextmanager
    def running(self) -> Iterator[PasswordServer]:
        """Starts the server on a free port and ends it afterwards."""
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            port = int(chosen.getsockname()[1])
        log = self.folder / "log"
        given = {
            "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off",
            "shared_buffers": "16MB", "ssl": "off", "lc_messages": "C",
        }  # fmt: skip
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self.binaries.folder / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env=server_environment(),
                **as_account(self.account),
            )  # fmt: skip
        server = PasswordServer(port, log)
        try:
            _await(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.binaries.folder / program, *arguments],
            check=True, capture_output=True, cwd="/", env=server_environment(), **as_account(self.account),
        )  # fmt: skip


def _await(server: PasswordServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            server.open().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{server.log.read_text()}") from None
            time.sleep(0.02)


def _give(folder: Path, account: Account) -> None:
    for place, _, files in os.walk(folder):
        os.chown(place, account.uid, account.gid)
        for name in files:
            os.chown(Path(place, name), account.uid, account.gid)
