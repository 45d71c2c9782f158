"""Connections that do not wait for ever for a server that has fallen silent, so that no CI job hangs on one.

The server's own time-outs do not help when its process is stopped, or when what is between us drops the packets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import OperationalError
from psycopg.waiting import Ready

SILENCE = 45.0
"""Seconds without a word from the server: longer than our statement_timeout lets it work."""

# psycopg logs that it closes a connection after Ctrl-C; without a handler that is a second line on stderr.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class PatientConnection(psycopg.Connection[Any]):
    """Closes itself when the server is silent for `SILENCE` seconds, and raises OperationalError."""

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        """Every exchange with the server goes through here, but for those that use libpq directly."""
        return super().wait(self._patiently(gen), *arguments, **options)

    def _patiently(self, exchange: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(exchange)
            heard = time.monotonic()
            while True:
                ready = yield wanted
                # psycopg looks up from its waiting every tenth of a second, for Ctrl-C, and tells that nothing came.
                if ready != Ready.NONE:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENCE:
                    self.close()
                    raise silent()
                wanted = exchange.send(ready)
        except StopIteration as end:
            return end.value


def silent() -> OperationalError:
    """The server has said nothing for too long."""
    return OperationalError(f"timeout expired: not a word for {SILENCE:g} s")
