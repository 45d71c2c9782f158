"""Sets parameters (GUCs) for the rest of the transaction."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from trigger_audit.resources import read_sql


def setting(values: Mapping[str, str]) -> sql.Composed:
    """The statement, closed by a semicolon, for one value at least. It names everything by its schema."""
    pairs = (sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(value)) for name, value in values.items())
    return sql.SQL(read_sql("smoke/settings.sql")).format(settings=sql.SQL(", ").join(pairs))
