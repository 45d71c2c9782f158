"""One trigger against each statement of each flow: what the client reads and whether a letter has left, for real."""

from __future__ import annotations

import pytest

from tests.conformance.acting import ACTS, Stage
from tests.conformance.breaking import (
    all_triggers,
    broken,
    deferred_refusal,
    predicted,
    refusal,
    seen_by_client,
    smoke,
)
from trigger_audit.auth import FLOWS
from trigger_audit.auth.steps import Flow

TRIGGERS = all_triggers()
DEFERRED = {
    "INSERT OR UPDATE OR DELETE ON auth.users": FLOWS,
    "INSERT ON auth.audit_log_entries": tuple(
        flow for flow in FLOWS if any(step.table == "audit_log_entries" for step in flow.steps)
    ),
}


def _differences(stage: Stage, statements: str, flows: tuple[Flow, ...]) -> list[str]:
    scenes = {flow.name: ACTS[flow.name](stage) for flow in flows}
    with broken(stage.sandbox, statements):
        seen = {name: seen_by_client(stage, scene) for name, scene in scenes.items()}
        results = smoke(stage.sandbox, list(scenes))
    return [
        f"{name}: Auth {seen[name]}, smoke {predicted(results[name])}"
        for name in scenes
        if seen[name] != predicted(results[name])
    ]


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_statement_that_fails(stage: Stage, trigger: str) -> None:
    assert _differences(stage, refusal(trigger), TRIGGERS[trigger]) == []


@pytest.mark.parametrize("events", DEFERRED)
def test_a_commit_that_fails(stage: Stage, events: str) -> None:
    assert _differences(stage, deferred_refusal(events), DEFERRED[events]) == []
