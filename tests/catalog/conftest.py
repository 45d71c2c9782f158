"""Databases for the catalog's tests: plain ones, so that what is in them is what the test put there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.model import Catalog

EVERYTHING = Path(__file__).with_name("everything.sql").read_text(encoding="utf-8")

_NUMBERS = count(1)


class HasConninfo(Protocol):
    """What these tests need of a running sandbox or server."""

    def conninfo(self, role: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Server:
    """A server to make databases on; `conninfo` is a superuser's."""

    conninfo: str

    @contextmanager
    def database(self, script: str, options: str = "", encoding: str | None = None) -> Iterator[str]:
        """The superuser's conninfo of a new database in which `script` has run; dropped afterwards."""
        name = f"catalog_{next(_NUMBERS)}"
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            if encoding is not None:
                # The C locale goes with any encoding; a sandbox' own provider of locales (15+) knows UTF8 alone.
                options += f" ENCODING {encoding} LC_COLLATE 'C' LC_CTYPE 'C'"
                options += " LOCALE_PROVIDER libc" if connection.info.server_version >= 150000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}".encode())
        try:
            conninfo = make_conninfo(self.conninfo, dbname=name, client_encoding="UTF8")
            with psycopg.connect(conninfo) as connection:
                connection.execute(script.encode())
            yield conninfo
        finally:
            with psycopg.connect(self.conninfo, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    @contextmanager
    def roles(self, **options: str) -> Iterator[None]:
        """Roles with the given attributes, dropped afterwards. They own nothing once the database is gone."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for name, attributes in options.items():
                connection.execute(f"CREATE ROLE {name} {attributes}".encode())
            try:
                yield
            finally:
                for name in options:
                    connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))

    @contextmanager
    def everything(self) -> Iterator[str]:
        """A database made by everything.sql."""
        with self.roles(catalog_owner="", catalog_member=""), self.database(EVERYTHING) as conninfo:
            yield conninfo


def load(conninfo: str) -> Catalog:
    """The catalog as the tool reads it: in a READ ONLY, REPEATABLE READ transaction."""
    with psycopg.connect(conninfo, prepare_threshold=None) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute("SELECT 1")
        return load_catalog(connection)


@pytest.fixture(scope="session")
def server(sandbox: HasConninfo) -> Server:
    return Server(sandbox.conninfo("supabase_admin"))


@pytest.fixture(scope="package")
def everything(server: Server) -> Iterator[str]:
    with server.everything() as conninfo:
        yield conninfo


@pytest.fixture(scope="package")
def catalog(everything: str) -> Catalog:
    return load(everything)


@pytest.fixture(scope="session")
def older_server(postgres15: HasConninfo) -> Server:
    return Server(postgres15.conninfo("supabase_admin"))
