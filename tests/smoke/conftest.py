"""A way to run flows against a database of its own, with some SQL applied first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import psycopg
import pytest
from psycopg import sql as psycopg_sql
from psycopg.conninfo import make_conninfo

from tests.conftest import FreshDatabase
from trigger_audit.sandbox.server import Sandbox
from trigger_audit.smoke.model import FlowResult, SmokeReport
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.session import Limits, Session, look_at_server


class Database(Protocol):
    def conninfo(self, role: str) -> str: ...

    def apply(self, sql: str) -> Any: ...


def connect(database: Database, role: str = "supabase_admin") -> psycopg.Connection:
    return psycopg.connect(database.conninfo(role), autocommit=True, prepare_threshold=None)


def session_on(connection: psycopg.Connection[Any]) -> Session:
    """What asks and changes in the connection's transaction, as the role that it is."""
    return Session(connection, look_at_server(connection), Limits())


def apply_as_postgres(database: Database, sql: str) -> None:
    with connect(database) as owner:
        owner.execute("SET SESSION AUTHORIZATION postgres")
        owner.execute(sql.encode())


def users(database: Database) -> int:
    with connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM auth.users").fetchone()
    assert row is not None
    return int(row[0])


Run = Callable[..., SmokeReport]


def by_flow(report: SmokeReport) -> dict[str, FlowResult]:
    """The results by `flow/payload`, those of the bare payload also by the flow's name alone."""
    named = {f"{result.flow}/{result.payload.value}": result for result in report.flows}
    return {**named, **{result.flow: result for result in report.flows if result.payload.value == "bare"}}


@pytest.fixture
def smoke(fresh_database: Database) -> Run:
    def run(
        sql: str = "", flows: Sequence[str] | None = None, role: str = "supabase_admin", limits: Limits | None = None
    ) -> SmokeReport:
        if sql:
            apply_as_postgres(fresh_database, sql)
        with connect(fresh_database, role) as connection:
            report = run_smoke(
                connection, flows=flows, hazards=(), allow_side_effects=False, target={"kind": "sql"}, limits=limits
            )
            assert connection.autocommit
        assert report.rolled_back
        assert users(fresh_database) == 0
        return report

    return run


@pytest.fixture(params=["fresh_database", "fresh_database15"])
def database(request: pytest.FixtureRequest) -> FreshDatabase:
    """On 18 and on 15."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, FreshDatabase)
    return found


@pytest.fixture(params=["supabase_admin", "postgres"])
def login(request: pytest.FixtureRequest, database: FreshDatabase) -> Iterator[str]:
    """The superuser, and a member of Auth's role."""
    name = str(request.param)
    if name != "postgres":
        yield name
        return
    with connect(database) as owner:
        owner.execute("GRANT supabase_auth_admin TO postgres")
        yield name
        owner.execute("REVOKE supabase_auth_admin FROM postgres")


_numbers = iter(range(1_000))


def _plain(server: Sandbox) -> Iterator[str]:
    name = f"plain_{next(_numbers)}"
    database = psycopg_sql.Identifier(name)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(psycopg_sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(database))
        try:
            yield make_conninfo(server.conninfo(), dbname=name)
        finally:
            connection.execute(psycopg_sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


@pytest.fixture
def plain(sandbox: Sandbox) -> Iterator[str]:
    """The conninfo of a database in which nothing is of Supabase."""
    yield from _plain(sandbox)


@pytest.fixture
def plain15(postgres15: Sandbox) -> Iterator[str]:
    yield from _plain(postgres15)
