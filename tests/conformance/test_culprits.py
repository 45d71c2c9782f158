"""What smoke names is at fault: once it is really dropped the real Auth does well, and it fails on without the others.

The others are all the project's triggers, but for those whose rows are what the culprit fires on.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest
from psycopg import sql

from tests.conformance.acting import Scene, Stage
from tests.conformance.breaking import by_flow, seen_by_client, smoke
from tests.conformance.judging import VERIFICATIONS, apply, difference, set_scene
from tests.smoke.cases import CASES
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions
from trigger_audit.pipeline import smoke as smoke_whole
from trigger_audit.smoke.model import Culprit, FlowResult, Outcome, Payload

BROKEN = {
    "the-middle-one-of-three": "signup-email",
    "only-when-the-token-is-written": "signup-email",
    "only-at-commit": "signup-email",
    "only-on-login": "login",
    "a-foreign-key-that-blocks-the-deletion": "delete-user",
    "a-users-table-that-refuses-the-deletion": "delete-user",
    "only-for-phone-and-anonymous": "anonymous",
    "only-for-a-second-user-of-the-same-name": "signup-email/duplicate",
    "returns-null": "signup-email",
    "returns-old": "signup-email",
    "confirms": "signup-email",
    "clears-token": "signup-email",
    "recursion": "signup-email",
    "two-culprits": "signup-email",
    "a-pair": "signup-email",
    "two-tables-deeper": "signup-email",
    "one-makes-the-parent-row-the-next-fails": "signup-email",
    "one-fails-the-next-needs-its-parent-row": "signup-email",
    "a-shared-function": "signup-email",
}
"""The flow that does not go well, by case."""

CARRYING = {"auth.users.on_new", "public.profiles.count_up"}
"""Triggers that write the rows at which others fail."""


def told(project: Stage, name: str) -> dict[str, FlowResult]:
    """What smoke says of the flow and of the one that uses what it sends, with no search."""
    flow = name.partition("/")[0]
    return smoke(project.database, [flow, VERIFICATIONS.get(flow, flow)], payloads_of(name))


def named(project: Stage, name: str) -> tuple[Culprit, ...]:
    """The culprits that smoke names for the flow."""
    options = SmokeOptions(flows=(name.partition("/")[0],), payloads=payloads_of(name), allow_locks=True)
    with psycopg.connect(project.database.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        report = smoke_whole(connection, TargetInfo("database", "test", "", "supabase"), options).report
    assert report.rolled_back
    return by_flow(report)[name].culprits


def payloads_of(name: str) -> tuple[Payload, ...]:
    return (Payload.BARE, Payload.DUPLICATE) if "/" in name else (Payload.BARE,)


def drop(project: Stage, names: Sequence[str], kind: str = "trigger") -> None:
    """Drops what smoke calls `schema.table.name`, for good."""
    with psycopg.connect(project.database.conninfo(), prepare_threshold=None) as connection:
        for schema, table, name in (name.split(".") for name in names):
            form = "DROP TRIGGER {1} ON {0}" if kind == "trigger" else "ALTER TABLE {0} DROP CONSTRAINT {1}"
            connection.execute(sql.SQL(form).format(sql.Identifier(schema, table), sql.Identifier(name)))


def all_triggers(project: Stage) -> set[str]:
    with psycopg.connect(project.database.conninfo(), prepare_threshold=None) as connection:
        rows = connection.execute(
            "SELECT n.nspname || '.' || c.relname || '.' || t.tgname FROM pg_trigger t JOIN pg_class c"
            " ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE NOT t.tgisinternal AND p.pronamespace = 'public'::regnamespace"
        ).fetchall()
    return {name for (name,) in rows}


def drop_culprits(project: Stage, culprits: Sequence[Culprit]) -> None:
    assert culprits
    for kind in ("trigger", "constraint"):
        drop(project, [culprit.name for culprit in culprits if culprit.kind == kind], kind)


def goes_well(project: Stage, name: str, scene: Scene) -> bool:
    """Whether Auth answers, mails and confirms as in a project without a fault; and smoke agrees."""
    results = told(project, name)
    return results[name].outcome is Outcome.PASS and difference(project, name, scene, results) is None


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_named_is_at_fault_and_nothing_else(project: Stage, case: str) -> None:
    name = BROKEN[case]
    apply(project, CASES[case].sql)
    results, culprits = told(project, name), named(project, name)
    assert results[name].outcome is not Outcome.PASS
    drop(project, sorted(all_triggers(project) - {culprit.name for culprit in culprits} - CARRYING))
    assert difference(project, name, set_scene(project, name, results[name]), results) is None
    scene = set_scene(project, name, results[name])
    drop_culprits(project, culprits)
    assert goes_well(project, name, scene)


@pytest.mark.parametrize(("case", "one_is_enough"), [("a-pair", True), ("two-culprits", False)])
@pytest.mark.parametrize("which", [0, 1])
def test_dropping_one_of_two(project: Stage, case: str, which: int, one_is_enough: bool) -> None:
    name = BROKEN[case]
    apply(project, CASES[case].sql)
    culprits = named(project, name)
    assert len(culprits) == 2
    drop_culprits(project, [culprits[which]])
    scene = set_scene(project, name, told(project, name)[name])
    assert goes_well(project, name, scene) == one_is_enough
    if not one_is_enough:
        assert seen_by_client(project, scene).status == 500
