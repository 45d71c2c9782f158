"""What a client that sends no X-Supabase-Api-Version reads, for real: PostgreSQL's own error, where smoke says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.conformance.acting import ACTS, Scene, Stage
from tests.conformance.breaking import all_triggers, broken, deferred_refusal, refusal, seen_by_client, smoke
from trigger_audit.auth import FLOWS
from trigger_audit.smoke.model import FlowResult

TRIGGERS = all_triggers()
LASTING = {"signup-autoconfirm", "verify-email-change"}
"""Flows that commit before they fail."""


@pytest.fixture(scope="module")
def plain_stage(stage: Stage) -> Stage:
    """The same Auth, asked by a client without the header."""
    return replace(stage, auth=replace(stage.auth, header=False), confirming=replace(stage.confirming, header=False))


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    """Those already set, by flow: a flow that has failed leaves nothing."""
    return {}


def _differences(stage: Stage, scenes: dict[str, Scene], statements: str, flows: Sequence[str]) -> list[str]:
    for name in flows:
        if name in LASTING or name not in scenes:
            scenes[name] = ACTS[name](stage)
    with broken(stage.database, statements):
        seen = {name: seen_by_client(stage, scenes[name]) for name in flows}
        results = smoke(stage.database, flows)
    return [
        f"{name}: Auth {seen[name]}, smoke {_told(results[name])}"
        for name in flows
        if (seen[name].status, seen[name].error_code, seen[name].message) != _told(results[name])
    ]


def _told(result: FlowResult) -> tuple[int, str | None, str]:
    answer = result.without_header or result.response
    assert answer is not None, result
    assert result.failed_step is not None, result
    return answer.status, answer.error_code, answer.message


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_statement_that_fails(plain_stage: Stage, scenes: dict[str, Scene], trigger: str) -> None:
    assert _differences(plain_stage, scenes, refusal(trigger), list(TRIGGERS[trigger])) == []


def test_a_commit_that_fails(plain_stage: Stage, scenes: dict[str, Scene]) -> None:
    statements = deferred_refusal("INSERT OR UPDATE OR DELETE ON auth.users")
    assert _differences(plain_stage, scenes, statements, [flow.name for flow in FLOWS]) == []


@pytest.mark.parametrize("sqlstate", ["23000", "23505", "23P01", "PT418", "PT000", "P0002", "22023", "42P01"])
def test_which_sqlstates_are_shown(plain_stage: Stage, scenes: dict[str, Scene], sqlstate: str) -> None:
    statements = refusal("BEFORE INSERT ON auth.users FOR EACH STATEMENT").replace(
        "USING DETAIL", f"USING ERRCODE = '{sqlstate}', DETAIL"
    )
    assert _differences(plain_stage, scenes, statements, ["signup-email", "anonymous", "oauth-first"]) == []
