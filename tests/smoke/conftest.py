"""A way to run flows against a database of its own, with some SQL applied first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import psycopg
import pytest

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
            with connect(fresh_database) as owner:
                owner.execute("SET SESSION AUTHORIZATION postgres")
                owner.execute(sql.encode())
        with connect(fresh_database, role) as connection:
            report = run_smoke(
                connection, flows=flows, hazards=(), allow_side_effects=False, target={"kind": "sql"}, limits=limits
            )
            assert connection.autocommit
        assert report.rolled_back
        assert users(fresh_database) == 0
        return report

    return run
