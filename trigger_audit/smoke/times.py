"""Reads times, also those that Python has no value for (infinity, BC, after the year 9999), which stay as text."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg.adapt import Loader

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg.rows import RowFactory

INFINITE = ("infinity", "-infinity")
"""Times that Auth's database driver cannot read either."""

READABLE = {"DateStyle": "ISO, MDY", "TimeZone": "UTC"}
"""Settings under which the server's text of a time is one that `open_cursor` reads.

psycopg's own loader goes by what the server last said of DateStyle, which is not what held for the row."""


class _AnyTime(Loader):
    def load(self, data: Any) -> datetime | str:
        text = bytes(data).decode()
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return text


def open_cursor(connection: Connection, rows: RowFactory[Any]) -> Cursor[Any]:
    """A cursor that never fails at a timestamptz."""
    cursor = connection.cursor(row_factory=rows)
    cursor.adapters.register_loader("timestamptz", _AnyTime)
    return cursor
