"""The password server of these tests, and a standby of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from trigger_audit.database.dsn import Dsn, parse_dsn

from .servers import LENIENT_PASSWORD, PASSWORD, Cluster, PasswordServer

# Each with its password and its options.
ROLES = {
    "insider": (PASSWORD, "LOGIN"),
    "lenient": (LENIENT_PASSWORD, "LOGIN"),
    "bracketed": ("secret", "LOGIN"),
    "crowd": (PASSWORD, "LOGIN CONNECTION LIMIT 0"),
    "nologin": (PASSWORD, "NOLOGIN"),
    "reader": (PASSWORD, "LOGIN"),
    "outsider": (PASSWORD, "LOGIN"),
}


@pytest.fixture(autouse=True)
def _no_defaults_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq's environment variables and password file stay out of the tests."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")


@pytest.fixture(scope="session")
def _servers() -> Iterator[tuple[PasswordServer, PasswordServer]]:
    # Not in pytest's own folder, which is closed to the account that the server runs as.
    with tempfile.TemporaryDirectory(prefix="ta-password-") as name:
        os.chmod(name, 0o755)
        folders = [Path(name, part) for part in ("primary", "standby")]
        for folder in folders:
            folder.mkdir()
        primary = Cluster(folders[0])
        primary.initialise()
        standby = primary.copy(folders[1])
        with primary.running() as first, standby.running() as second:
            _prepare(first)
            yield first, second


def _prepare(server: PasswordServer) -> None:
    with server.open() as connection:
        connection.execute("CREATE ROLE insiders NOLOGIN")
        for name, (password, options) in ROLES.items():
            connection.execute(
                sql.SQL("CREATE ROLE {} " + options + " PASSWORD {}").format(
                    sql.Identifier(name), sql.Literal(password)
                )
            )
            if name != "outsider":
                connection.execute(sql.SQL("GRANT insiders TO {}").format(sql.Identifier(name)))
        connection.execute("ALTER ROLE reader SET default_transaction_read_only = on")
        for name, encoding in (("ascii", "SQL_ASCII"), ("latin", "LATIN1")):
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'").format(
                    sql.Identifier(name), sql.Literal(encoding)
                )
            )
        connection.execute("CREATE TABLE public.kept (id integer PRIMARY KEY)")
        connection.execute("GRANT SELECT ON public.kept TO reader")


@pytest.fixture(scope="session")
def password_server(_servers: tuple[PasswordServer, PasswordServer]) -> PasswordServer:
    """A PostgreSQL 15 where installed, else the embedded one, that asks for scram passwords on 127.0.0.1."""
    return _servers[0]


@pytest.fixture(scope="session")
def standby_server(_servers: tuple[PasswordServer, PasswordServer]) -> PasswordServer:
    """A standby with the superuser alone."""
    return _servers[1]


@pytest.fixture
def insider(password_server: PasswordServer) -> Dsn:
    """An ordinary role's DSN, with a password full of special characters."""
    return parse_dsn(password_server.url("insider"))
