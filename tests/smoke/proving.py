"""Whole runs with the search for culprits, and SQL for the triggers that they are about."""

from __future__ import annotations

from collections.abc import Sequence

from tests.smoke.cases import on_users as on_users
from tests.smoke.conftest import Database, connect, users
from tests.smoke.conftest import apply_as_postgres as apply_as_postgres
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, smoke
from trigger_audit.smoke.model import SmokeReport


def prove_on(
    database: Database,
    flows: Sequence[str] | None = None,
    role: str = "supabase_admin",
    *,
    allow_locks: bool = False,
    unmask: bool = False,
    looked: bool = True,
) -> SmokeReport:
    """Runs the flows as this login. Nothing may be left, and a look must find that, unless none is possible."""
    with connect(database, role) as connection:
        asked = SmokeOptions(flows=None if flows is None else tuple(flows), allow_locks=allow_locks, unmask=unmask)
        report = smoke(connection, TargetInfo("sql", "test", "", "supabase"), asked).report
    assert report.rolled_back is looked, report.not_verified
    assert users(database) == 0
    return report
