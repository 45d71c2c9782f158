"""Ends a statement that statement_timeout does not end.

The time-out fires once a statement, as an error that `WHEN query_canceled` catches. Nothing catches
pg_terminate_backend, which is FATAL, and the server rolls back.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from psycopg import Cursor, Error, OperationalError

from trigger_audit.resources import read_sql
from trigger_audit.smoke.settings import setting

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.smoke.session import Limits

_SURPLUS = 1.0
_AFTER_CTRL_C = 1.0
_CONNECTING = 5
_ENDING = 2.0
_LOOKING = 0.2


class Watch:
    """A thread that ends our own backend when one of its statements does not end by itself.

    Each statement has its limit and a fifth of that more, at least one second; all statements in `attempt` together
    have six times the limit and ten seconds. Past that the backend is terminated over a second connection with the same
    login; where that is not possible within ten seconds the socket is closed, upon which the server notices by
    client_connection_check_interval. So a statement that never ends takes the limit, its surplus and at most 11 s, and
    after Ctrl-C 12 s; with a second connection to be had it is the surplus alone, and one second after Ctrl-C.

    What is terminated is the process that was in our transaction when `follow` looked, and only while it still is: a
    pooler may give it to somebody else.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.stopped: str | None = None
        """What had to be ended, in words that go on after a flow's name."""
        self.error: Error | None = None
        """What the server said when it was stopped; its context names the function."""
        self.backend: dict[str, int | None] | None = None
        self.cursor_factory = _watched(self)
        self._connection: Connection | None = None
        self._login: dict[str, Any] = {}
        self._condition = threading.Condition()
        self._ends: float | None = None
        self._attempt_ends: float | None = None
        self._working = False
        self._interrupted = False
        self._terminated = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="smoke watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(_CONNECTING + _ENDING)

    def guard(self, connection: Connection) -> None:
        """From here on watches the statements of this connection, whose socket is all that can be closed so far."""
        self._terminated = False
        self.stopped = self.error = self.backend = None
        self._connection = connection
        self._login = _login(connection)
        connection.cursor_factory = self.cursor_factory

    def follow(self) -> None:
        """Learns which backend the present transaction has, as the outer role and after `Session.limit`."""
        assert self._connection is not None
        row = self._connection.execute(read_sql("smoke/backend.sql")).fetchone()
        if row is not None:
            self.backend = dict(zip(("pid", "started", "began"), row, strict=True))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Limits the time of all statements in the block together."""
        self._attempt_ends = time.monotonic() + _altogether(self.limits)
        try:
            yield
        finally:
            self._attempt_ends = None

    @contextmanager
    def statement(self) -> Iterator[None]:
        """One statement on the connection. psycopg.Error where it was stopped, KeyboardInterrupt after Ctrl-C."""
        seconds = self.limits.statement / 1000
        with self._condition:
            self._ends = time.monotonic() + seconds + max(_SURPLUS, seconds / 5)
            if self._attempt_ends is not None:
                self._ends = min(self._ends, self._attempt_ends)
            self._condition.notify_all()
        try:
            yield
        except Error as error:
            if self.error is None and self._working:
                self.error = error
            raise
        finally:
            with self._condition:
                self._ends = None
                self._condition.notify_all()
                self._condition.wait_for(lambda: not self._working, 2 * _CONNECTING + _ENDING)
            interrupted, self._interrupted = self._interrupted, False
            if interrupted:
                # Older versions of psycopg let the error of the ended statement out instead.
                raise KeyboardInterrupt
        if self.stopped:
            raise OperationalError("the connection was ended in the middle of its work")

    @contextmanager
    def heeding_ctrl_c(self) -> Iterator[None]:
        """psycopg cancels the statement on Ctrl-C and waits for its end, which need not come: it is hastened here."""
        if (
            threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        ):
            yield
            return

        def interrupt(number: int, frame: FrameType | None) -> None:
            with self._condition:  # reentrant: the interrupted thread may hold it
                if self._ends is not None:
                    self._interrupted = True
                    self._ends = min(self._ends, time.monotonic() + _AFTER_CTRL_C)
                    self._condition.notify_all()
            signal.default_int_handler(number, frame)

        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def connect_again(self) -> Connection[Any]:
        """Another connection in autocommit, to the same address with the same login. psycopg.Error where refused."""
        assert self._connection is not None
        return type(self._connection).connect(
            autocommit=True, prepare_threshold=None, context=self._connection, **self._login
        )

    def reconnect(self) -> Connection[Any]:
        """The connection to go on with, once the stopped backend has gone.

        The server is given client_connection_check_interval and two seconds to notice that the socket is closed, which
        with the connecting is at most 12 s by default. psycopg.Error where no connection is to be had, TimeoutError
        where the backend lives on.
        """
        ends = time.monotonic() + self.limits.check_interval / 1000 + 2
        while True:
            try:
                connection = self.connect_again()
                break
            except OperationalError:
                # The login may have this one connection only, and the backend still holds it.
                if time.monotonic() > ends:
                    raise
                time.sleep(_LOOKING)
        while self.alive(connection):
            if time.monotonic() > ends:
                connection.close()
                raise TimeoutError
            time.sleep(_LOOKING)
        return connection

    def alive(self, connection: Connection) -> bool:
        """Whether the backend is still in our transaction, looked at over another connection in autocommit."""
        if self._terminated or self.backend is None:
            return False
        row = _ask(connection, "smoke/alive.sql", self.backend)
        return row is None or bool(row[0])

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._closed and (self._ends is None or self._ends > time.monotonic()):
                    self._condition.wait(None if self._ends is None else self._ends - time.monotonic())
                if self._closed:
                    return
                self.stopped = self._words()
                self._working = True
            self._terminated = self._terminate()
            with self._condition:
                over = self._condition.wait_for(lambda: self._ends is None, 1.0 if self._terminated else 0.0)
                if not over and self._connection is not None:
                    shut(self._connection)
                self._condition.wait_for(lambda: self._ends is None)
                self._working = False
                self._condition.notify_all()

    def _words(self) -> str:
        if self._ends == self._attempt_ends:
            past = f"takes more than {_altogether(self.limits):g} s altogether"
        else:
            past = f"goes on past our statement_timeout of {self.limits.statement / 1000:g} s"
        return f"{past} and had to be ended with its connection"

    def _terminate(self) -> bool:
        """Whether the backend has gone within two seconds."""
        if self._connection is None or self.backend is None:
            return False
        try:
            with self.connect_again() as second:
                guard = threading.Timer(_CONNECTING, shut, (second,))
                guard.daemon = True
                guard.start()
                try:
                    parameters = {**self.backend, "milliseconds": int(_ENDING * 1000)}
                    row = _ask(second, "smoke/terminate.sql", parameters)
                finally:
                    guard.cancel()
        except (Error, OSError):
            return False
        return row is not None and bool(row[0])


def _ask(connection: Connection, query: str, parameters: dict[str, int | None]) -> tuple[Any, ...] | None:
    """Asks in a transaction that finds only PostgreSQL's own operators, whatever path the database's owner has set."""
    with connection.transaction():
        connection.execute(setting({"search_path": "pg_temp"}))
        return connection.execute(read_sql(query), parameters).fetchone()


def _altogether(limits: Limits) -> float:
    return 6 * limits.statement / 1000 + 10


def _login(connection: Connection) -> dict[str, Any]:
    parameters: dict[str, Any] = {**connection.info.get_parameters(), "connect_timeout": _CONNECTING}
    if connection.info.password:
        parameters["password"] = connection.info.password
    return parameters


def shut(connection: Connection) -> None:
    """Closes the socket under the connection, which another thread waits on: to that one the server has gone."""
    with suppress(Error, OSError), socket.fromfd(connection.pgconn.socket, socket.AF_INET, socket.SOCK_STREAM) as known:
        known.shutdown(socket.SHUT_RDWR)


def _watched(watch: Watch) -> type[Cursor[Any]]:
    class Watched(Cursor[Any]):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            with watch.statement():
                return super().execute(*arguments, **options)

    return Watched
