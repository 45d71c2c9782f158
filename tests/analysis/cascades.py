"""Cascades of what a transaction has made, for tests that roll it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.cascade import build_cascade
from trigger_audit.analysis.model import Cascade
from trigger_audit.auth import firings
from trigger_audit.catalog.audited import audited_tables
from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.model import Catalog


@contextmanager
def prepared(conninfo: str, sql: str, role: str = "postgres") -> Iterator[psycopg.Connection]:
    """A superuser's transaction in which this role has run the SQL; rolled back at the end."""
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        connection.execute(f"SET LOCAL ROLE {role}".encode())
        connection.execute(sql.encode())
        connection.execute("RESET ROLE")
        yield connection
        connection.rollback()


def cascade_of(
    connection: psycopg.Connection, tables: Sequence[str] = (), *, as_role: str | None = None
) -> tuple[Cascade, Catalog]:
    """The cascade of auth.users, or of these tables alone."""
    catalog = load_catalog(connection)
    audited = audited_tables(catalog, tables)
    if tables:
        audited = tuple(table for table in audited if table.name in tables)
    return build_cascade(catalog, audited, read_body, firings(), as_role=as_role), catalog
