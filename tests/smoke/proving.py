"""Whole runs with the search for culprits, and SQL for the triggers that they are about."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from tests.smoke.conftest import Database, connect, users
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
    with psycopg.connect(database.conninfo(role), autocommit=True, prepare_threshold=None) as connection:
        asked = SmokeOptions(flows=None if flows is None else tuple(flows), allow_locks=allow_locks, unmask=unmask)
        report = smoke(connection, TargetInfo("sql", "test", "", "supabase"), asked).report
    assert report.rolled_back is looked, report.not_verified
    assert users(database) == 0
    return report


def apply_as_postgres(database: Database, sql: str) -> None:
    with connect(database) as owner:
        owner.execute("SET SESSION AUTHORIZATION postgres")
        owner.execute(sql.encode())


def on_users(name: str, body: str, when: str = "AFTER INSERT", *, declare: str = "") -> str:
    """A SECURITY DEFINER trigger function in schema public whose body's first line is line 3, and its trigger."""
    return f"""
CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $${declare}
BEGIN
{body}
END $$;
CREATE TRIGGER {name} {when} ON auth.users FOR EACH ROW EXECUTE FUNCTION public.{name}();
"""
