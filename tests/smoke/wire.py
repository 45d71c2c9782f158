"""A line between a client and a server that can be held at the n-th thing that the client asks, and cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.conftest import FreshDatabase


class Held(Enum):
    """Whether the server has not heard yet what was asked, or the client has not heard the answer."""

    REQUEST = "before"
    ANSWER = "after"


@dataclass
class Wire:
    """Passes all connections on to a server on a unix socket.

    The first that asks something is followed: `asked` counts what it sent (a client waits for the answer, so that one
    arrival is one request). At request number `hold` it stops until `release`, and `reached` is set. `at_answer` is
    called with each request once the server has answered it, before the client hears.
    """

    server: str
    hold: int | None = None
    held: Held = Held.REQUEST
    at_answer: Callable[[bytes], None] | None = None
    asked: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _sockets: list[socket.socket] = field(default_factory=list)
    _followed: socket.socket | None = None
    _request: bytes = b""

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def release(self) -> None:
        self._released.set()

    def cut(self) -> None:
        """Closes everything, to both sides; what is held is never delivered."""
        for each in (self._listener, *self._sockets):
            shut(each)
        self._released.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.server)
                self._sockets += (client, server)
                self._followed = self._followed or client
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 20):
                if source is self._followed:
                    self.asked += 1
                    self._request = data
                    if self.asked == self.hold and self.held is Held.REQUEST:
                        self._stop(source)
                elif sink is self._followed:
                    if self.at_answer is not None:
                        self.at_answer(self._request)
                    if self.asked == self.hold and self.held is Held.ANSWER:
                        self._stop(sink)
                sink.sendall(data)
        # The kernel closes a dead process's sockets, and so does the wire to the other side.
        shut(source)
        shut(sink)

    def _stop(self, client: socket.socket) -> None:
        """Until it is released, or the client is gone, as the kernel would tell the server."""
        self.reached.set()
        while not self._released.wait(0.02):
            with suppress(BlockingIOError):
                if not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    raise ConnectionResetError


def shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(
    server: str,
    hold: int | None = None,
    held: Held = Held.REQUEST,
    at_answer: Callable[[bytes], None] | None = None,
) -> Iterator[Wire]:
    """`server` is the path of the socket; without `hold` requests are only counted."""
    wire = Wire(server, hold, held, at_answer)
    threading.Thread(target=wire._accept, daemon=True).start()
    try:
        yield wire
    finally:
        wire.cut()
        wire._listener.close()
        for each in wire._sockets:
            each.close()


def dsn(database: FreshDatabase, wire: Wire, role: str = "supabase_admin") -> str:
    # No negotiation of encryption, which would be requests too.
    return make_conninfo(
        database.conninfo(role), host="127.0.0.1", port=wire.port, sslmode="disable", gssencmode="disable"
    )


def socket_of(database: FreshDatabase) -> str:
    known = conninfo_to_dict(database.conninfo())
    return f"{known['host']}/.s.PGSQL.{known['port']}"
