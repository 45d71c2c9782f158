"""Sets parameters (GUCs) for the rest of the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from psycopg import sql

from trigger_audit.resources import read_sql


def setting(values: Mapping[str, str]) -> sql.SQL:
    """The statement, closed by a semicolon, for one value at least. It names everything by its schema."""
    return _setting(tuple(values.items()))


@lru_cache(maxsize=64)
def _setting(values: tuple[tuple[str, str], ...]) -> sql.SQL:
    # Every statement of Auth is followed by the same one.
    pairs = (sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(value)) for name, value in values)
    return sql.SQL(sql.SQL(read_sql("smoke/settings.sql")).format(settings=sql.SQL(", ").join(pairs)).as_string(None))
