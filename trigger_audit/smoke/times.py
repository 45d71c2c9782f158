"""Reads times that Python has no value for (infinity, BC, after the year 9999) as PostgreSQL's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import DataError
from psycopg.types.datetime import TimestamptzLoader

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg.rows import RowFactory

INFINITE = ("infinity", "-infinity")
"""Times that Auth's database driver cannot read either."""


class _AnyTime(TimestamptzLoader):
    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except DataError:
            return bytes(data).decode()


def open_cursor(connection: Connection, rows: RowFactory[Any]) -> Cursor[Any]:
    """A cursor that never fails at a timestamptz."""
    cursor = connection.cursor(row_factory=rows)
    cursor.adapters.register_loader("timestamptz", _AnyTime)
    return cursor
