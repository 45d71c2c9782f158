"""Sentences about flows that several formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.report.smoke_table import escalation_words, listed
from trigger_audit.report.table import count
from trigger_audit.smoke.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trigger_audit.check.model import FlowChange
    from trigger_audit.report.gathered import Problem
    from trigger_audit.smoke.model import FlowResult

_MOST_NAMES = 3


def ending(flow: FlowResult | None) -> str:
    """How a flow ended, in a few words: `pass`, `fail 42P01 at public.f():3`, `altered (auth.users.aud)`, `not run`."""
    if flow is None:
        return "not run"
    text = flow.outcome.value
    step = flow.failed_step
    if step is not None:
        place = f" at {step.function}:{step.line}" if step.function and step.line else ""
        place = place or (f" at {step.constraint}" if step.constraint else "")
        return f"{text} {step.sqlstate or 'refused by Auth'}{place}"
    altered = [change.what for change in flow.changes] + [f"{got.table}.{got.column}" for got in flow.escalations]
    return f"{text} ({', '.join(altered)})" if altered else text


def grouped_changes(changes: Iterable[FlowChange]) -> dict[tuple[str, str], list[FlowResult]]:
    """The flows that change, by how they ended before and end now."""
    grouped: dict[tuple[str, str], list[FlowResult]] = {}
    for change in changes:
        grouped.setdefault((ending(change.before), ending(change.after)), []).append(change.flow)
    return grouped


def problem_title(problem: Problem) -> str:
    """`fail 42P01: signup-email, invite, signup-otp and 2 more flows`."""
    state = f" {problem.step.sqlstate}" if problem.step and problem.step.sqlstate else ""
    latent = " (latent)" if all(flow.latent for flow in problem.flows) else ""
    expected = " as expected" if all(flow.as_expected for flow in problem.flows) else ""
    names = list(dict.fromkeys(flow.flow for flow in problem.flows))
    more = len(names) - _MOST_NAMES
    named = ", ".join(names[:_MOST_NAMES]) + (f" and {count(more, 'more flow')}" if more > 0 else "")
    return f"{problem.outcome.value}{state}{expected}{latent}: {named}"


def problem_message(problem: Problem) -> str:
    """What happened, in one sentence."""
    step, first = problem.step, problem.flows[0]
    if step is not None:
        return step.message
    if problem.outcome is Outcome.PASS:
        return f"it passes, and {first.expected} is expected"
    told = [f"{change.what}: expected {change.expected}, found {change.found}" for change in first.changes]
    return "; ".join([*told, *map(escalation_words, first.escalations)])


def problem_facts(problem: Problem) -> list[tuple[str, str]]:
    """More about it, by label: the flows with their payloads, the server's detail and hint, the place, the statement,
    what the app user sees, the culprits.
    """
    step = problem.step
    facts = [("flows", listed(problem.flows))]
    if step is not None:
        facts += [("detail", step.detail)] if step.detail else []
        facts += [("hint", step.hint)] if step.hint else []
        if step.function:
            facts.append(("where", f"{step.function} line {step.line}" if step.line else step.function))
        facts.append(("statement", step.statement))
    answers = dict.fromkeys(
        f"{flow.response.status} {flow.response.message}" for flow in problem.flows if flow.response is not None
    )
    if problem.outcome is Outcome.FAIL and answers:
        facts.append(("the app user sees", ", ".join(answers)))
    culprits = dict.fromkeys(
        f"{culprit.kind} {culprit.name}" for flow in problem.flows for culprit in flow.culprits if not culprit.behind
    )
    if culprits:
        facts.append(("culprit", ", ".join(culprits)))
    return facts
