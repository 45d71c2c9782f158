"""One trigger against each statement of each flow: what the client reads and whether a letter has left, for real.

In a verification the answers are those to a code; a link gets a redirect with the same text (see
`test_a_link_gets_the_same_text_in_a_redirect`).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.acting import ACTS, LINKS, Scene, Stage
from tests.conformance.breaking import (
    UNREACHED,
    all_triggers,
    broken,
    deferred_refusal,
    predicted,
    refusal,
    seen_by_client,
    smoke,
)
from trigger_audit.auth import FLOWS, flow_named
from trigger_audit.auth.steps import Kind
from trigger_audit.smoke.model import Mail

TRIGGERS = all_triggers()
DEFERRED = {
    "INSERT OR UPDATE OR DELETE ON auth.users": [flow.name for flow in FLOWS],
    "INSERT ON auth.audit_log_entries": [
        flow.name for flow in FLOWS if any(step.table == "audit_log_entries" for step in flow.steps)
    ],
}
LASTING = {"signup-autoconfirm", "verify-email-change"}
"""Flows that commit before they fail."""
MAILS = [flow.name for flow in FLOWS if flow.mails]


Compare = Callable[[str, dict[str, int | None]], list[str]]


@pytest.fixture(scope="module")
def compare(stage: Stage) -> Compare:
    """What `_compare` gives. A flow that has failed leaves nothing, so most scenes do for all triggers."""
    scenes: dict[str, Scene] = {}

    def differences(statements: str, flows: dict[str, int | None]) -> list[str]:
        for name in flows:
            if name in LASTING or name not in scenes:
                scenes[name] = ACTS[name](stage)
        return _compare(stage, {name: scenes[name] for name in flows}, statements, flows)

    return differences


def _compare(stage: Stage, scenes: dict[str, Scene], statements: str, flows: dict[str, int | None]) -> list[str]:
    """Where Auth and smoke differ, and where smoke fails at another statement than the one of that number."""
    with broken(stage.database, statements):
        seen = {name: seen_by_client(stage, scene) for name, scene in scenes.items()}
        results = smoke(stage.database, list(flows))
    differences = []
    for name, number in flows.items():
        failed = results[name].failed_step
        if seen[name] != predicted(results[name]):
            differences.append(f"{name}: Auth {seen[name]}, smoke {predicted(results[name])}")
        if failed is None or (number is not None and failed.index != number):
            differences.append(f"{name}: smoke at {failed}, not at {number}")
    return differences


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_statement_that_fails(compare: Compare, trigger: str) -> None:
    assert compare(refusal(trigger), dict(TRIGGERS[trigger])) == []


def test_each_statement_that_writes_is_failed() -> None:
    failed = {(name, number) for flows in TRIGGERS.values() for name, number in flows.items()}
    writes = {
        (flow.name, number)
        for flow in FLOWS
        for number, step in enumerate(flow.steps, start=1)
        if step.kind in (Kind.INSERT, Kind.UPDATE, Kind.DELETE)
    }
    assert writes - failed == UNREACHED


@pytest.mark.parametrize("events", DEFERRED)
def test_a_commit_that_fails(compare: Compare, events: str) -> None:
    assert compare(deferred_refusal(events), dict.fromkeys(DEFERRED[events])) == []


@pytest.mark.parametrize("statements", [
    refusal("BEFORE INSERT ON auth.one_time_tokens FOR EACH STATEMENT"),
    deferred_refusal("UPDATE ON auth.users"),
], ids=["token", "commit"])  # fmt: skip
def test_a_letter_that_has_left_is_refused(stage: Stage, statements: str) -> None:
    """The mail arrives, and what it holds is of no use, even when the trigger is gone."""
    links = {name: ACTS[name](stage) for name in MAILS}
    codes = {name: ACTS[name](stage) for name in MAILS}
    with broken(stage.database, statements):
        results = smoke(stage.database, MAILS)
    assert {result.mail for result in results.values()} == {Mail.SENT_TOKEN_LOST}
    for name in MAILS:
        with broken(stage.database, statements):
            assert seen_by_client(stage, codes[name]).letters
        assert stage.redeem(name, codes[name], link=False).error == (
            403,
            "otp_expired",
            "Token has expired or is invalid",
        )
        if not flow_named(name).texted:
            with broken(stage.database, statements):
                assert seen_by_client(stage, links[name]).letters
            assert stage.redeem(name, links[name], link=True).error == (
                303,
                "otp_expired",
                "Email link is invalid or has expired",
            )


def test_a_link_gets_the_same_text_in_a_redirect(stage: Stage) -> None:
    """Where the text is fixed; a raw error, such as that of the providers, comes with no word to the app."""
    scenes = {name: LINKS[name](stage) for name in ("verify-signup", "verify-magic-link")}
    trigger = refusal("BEFORE UPDATE OF email_confirmed_at, recovery_token ON auth.users FOR EACH STATEMENT")
    with broken(stage.database, trigger):
        results = smoke(stage.database, list(scenes))
        for name, scene in scenes.items():
            seen = seen_by_client(stage, scene)
            assert (seen.status, seen.message) == (303, predicted(results[name]).message)
    silent = LINKS["verify-signup"](stage)
    with broken(stage.database, refusal("BEFORE UPDATE OF raw_app_meta_data ON auth.users FOR EACH STATEMENT")):
        reply = silent.requests[0]()
    assert (reply.status, dict(reply.parameters)) == (303, {})
