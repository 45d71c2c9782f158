"""From what smoke observed to proof: a finding that was seen to happen, and one that was not where it had to be.

An observation is a finding's only where all of it fits: SQLSTATE, function, the statement's line, and the name that the
server complains of; or the constraint where no code is at fault. An SQLSTATE alone proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from trigger_audit.auth.roles import SCHEMA
from trigger_audit.findings.model import Finding, Path, Place, Proof, Severity
from trigger_audit.smoke.context import frames
from trigger_audit.smoke.model import By, HiddenError, Mail, Outcome

if TYPE_CHECKING:
    from trigger_audit.analysis.reported import ReportedPlaces
    from trigger_audit.smoke.model import FailedStep, FlowResult, SmokeReport

_PRIVILEGE = "42501"
_NOT_NULL = "23502"
_RECURSION = "54001"
_STATEMENT = re.compile(r'SQL function "[^\n]+" statement (?P<number>\d+)')
_COMPILATION = "compilation of PL/pgSQL function"
_MOST_FLOWS = 4


def prove(findings: Iterable[Finding], report: SmokeReport, places: ReportedPlaces) -> tuple[Finding, ...]:
    """The findings in their order, with proof `observed` where the report shows them.

    `why` of a certain failure that did not happen although every flow that it names went through says so. Severity and
    fingerprint stay as they are.
    """
    return tuple(_proved(finding, report, places) for finding in findings)


def unexplained(findings: Iterable[Finding], report: SmokeReport, places: ReportedPlaces) -> tuple[FlowResult, ...]:
    """The default flows that fail, and not as expected, with a failure that no finding is about."""
    found = tuple(findings)
    return tuple(
        flow
        for flow in report.flows
        if flow.outcome is Outcome.FAIL
        and not flow.latent
        and not flow.as_expected
        and not any(_broke(finding, flow, places) for finding in found)
    )


def _proved(finding: Finding, report: SmokeReport, places: ReportedPlaces) -> Finding:
    observed = tuple(_observed_in(finding, report, places))
    if observed:
        return replace(finding, proof=Proof.OBSERVED, observed_in=observed)
    passed = _passed_in_spite(finding, report)
    if passed:
        sentence = f"Smoke did not see this happen: {_listed(passed)} went through."
        return replace(finding, why=f"{finding.why} {sentence}" if finding.why else sentence)
    return finding


def _observed_in(finding: Finding, report: SmokeReport, places: ReportedPlaces) -> Iterator[str]:
    """`signup-email (bare, full)`, `signup-email (hidden by a handler)`."""
    payloads: dict[str, list[str]] = {}
    for flow in report.flows:
        if _broke(finding, flow, places) or _gave_rights(finding, flow):
            payloads.setdefault(flow.flow, []).append(flow.payload.value)
    yield from (f"{flow} ({', '.join(named)})" for flow, named in payloads.items())
    hidden = dict.fromkeys(error.flow for error in report.hidden_errors if _hid(finding, error, places))
    yield from (f"{flow} (hidden by a handler)" for flow in hidden if flow not in payloads)


def _broke(finding: Finding, flow: FlowResult, places: ReportedPlaces) -> bool:
    step = flow.failed_step
    if flow.outcome is not Outcome.FAIL or step is None or step.sqlstate is None or step.sqlstate != finding.sqlstate:
        return False
    if finding.place is None:
        return _keeps_rows(finding, flow.flow, step)
    if finding.sqlstate == _RECURSION:
        return _in_the_recursion(finding.place, step, places)
    return _happened_at(finding, finding.place, step, places) and _is_about(finding, step)


def _keeps_rows(finding: Finding, flow: str, step: FailedStep) -> bool:
    """Whether the constraint that is at fault without any code is the one that the server named.

    SET NULL on a NOT NULL column fails as an UPDATE of that column, which the server calls by its name alone.
    """
    if not any(flow in path.flows for path in finding.paths):
        return False
    table = f"{step.schema}.{step.table}"
    if step.constraint is not None:
        return finding.object == f"{table}.{step.constraint}"
    return (
        step.function is None
        and step.column is not None
        and finding.object.rpartition(".")[0] == table
        and _names(finding.message, step.column)
    )


def _in_the_recursion(place: Place, step: FailedStep, places: ReportedPlaces) -> bool:
    """The stack may end in anything that the cycle calls: its statement stands further out in the CONTEXT."""
    return any(
        places.names(frame.text, place.function) and frame.line in _lines(place, places)
        for frame in frames(step.context)
        if frame.line is not None
    )


def _happened_at(finding: Finding, place: Place, step: FailedStep, places: ReportedPlaces) -> bool:
    if step.function is None or not places.names(step.function, place.function):
        return False
    if _is_named(finding):
        return True
    context = step.context or ""
    if context.startswith(_COMPILATION):
        # PostgreSQL names no line to count on there, but stops at the first fault: there is no other in the function.
        return True
    spot = places.spot(place.function, place.line, place.column)
    if step.line is None and spot is not None:
        numbered = _STATEMENT.match(context)
        return spot.line is None and spot.statement == (int(numbered["number"]) if numbered else None)
    return step.line in _lines(place, places)


def _lines(place: Place, places: ReportedPlaces) -> Collection[int]:
    """The line that PostgreSQL names for a failure there; all of the place's where the body is not known."""
    spot = places.spot(place.function, place.line, place.column)
    if spot is None:
        return range(place.line, place.end_line + 1)
    return () if spot.line is None else (spot.line,)


def _is_named(finding: Finding) -> bool:
    """Whether the cause is a name that the server does not know: such a finding stands for all its places at once."""
    return bool(finding.cause.startswith(f"{finding.sqlstate} ") and _complaint(finding))


def _complaint(finding: Finding) -> str:
    """The name, an argument list left out: smoke may send what was asked as of unknown type."""
    return finding.cause.partition(" ")[2].partition("(")[0]


def _is_about(finding: Finding, step: FailedStep | HiddenError) -> bool:
    """Whether the server complains of what the finding names: one statement may have several faults."""
    message = step.message
    if _is_named(finding):
        return _names(message, _complaint(finding))
    if finding.sqlstate == _NOT_NULL:
        column = None if isinstance(step, HiddenError) else step.column
        if column is not None and not isinstance(step, HiddenError):
            return finding.cause == f"{step.schema}.{step.table}.{column}"
        return _names(message, finding.cause.rpartition(".")[2])
    if finding.sqlstate == _PRIVILEGE:
        thing = finding.cause.partition("(")[0].strip().rpartition(".")[2].rpartition(" ")[2]
        return _names(message, thing) and "row-level security" not in message
    return True


def _names(message: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) is not None


def _gave_rights(finding: Finding, flow: FlowResult) -> bool:
    """Whether the client's own metadata brought a right in the column that the finding is about."""
    if finding.sqlstate is not None or not flow.escalations:
        return False
    return any(finding.cause == f"{right.table}.{right.column}" for right in flow.escalations)


def _hid(finding: Finding, error: HiddenError, places: ReportedPlaces) -> bool:
    """Whether the finding is about the error that a handler hid, or about that handler."""
    place = finding.place
    if place is None or not places.names(error.function, place.function):
        return False
    if finding.sqlstate is None:
        # A handler that is silent by itself: there is no error of its own that could be seen.
        if finding.rule != "TA302" or error.line is None:
            return False
        return error.line == place.line or place.line in places.hidden_by(place.function, error.line)
    if finding.hidden_by is None or error.sqlstate != finding.sqlstate or not _is_about(finding, error):
        return False
    return _is_named(finding) or error.line in _lines(place, places)


def _passed_in_spite(finding: Finding, report: SmokeReport) -> tuple[str, ...]:
    """The default flows of a certain failure, where all of them went through; none where that says nothing.

    Nothing does a session that only approximates Auth's role, of rights; a flow that was skipped in part, or that
    started from a user whose rows no trigger has made; and one that may have met no row to fire for.
    """
    if finding.severity is not Severity.ERROR or finding.proof not in (Proof.SERVER, Proof.CATALOG):
        return ()
    if finding.sqlstate is None or finding.hidden_by is not None:
        return ()
    if finding.sqlstate == _PRIVILEGE and report.session.by is By.APPROXIMATION:
        return ()
    results: dict[str, list[FlowResult]] = {}
    for flow in report.flows:
        results.setdefault(flow.flow, []).append(flow)
    named = sorted({flow for path in finding.paths for flow in path.flows})
    if any(flow not in results for flow in named):
        return ()
    default = [flow for flow in named if not results[flow][0].latent]
    if not all(_went_through(result) for flow in default for result in results[flow]):
        return ()
    met = {flow for path in finding.paths if _is_met(path) for flow in path.flows}
    return tuple(flow for flow in default if flow in met)


def _is_met(path: Path) -> bool:
    """Whether a flow's statement must have had a row for the trigger at the start, and no other trigger is between.

    The user's row is always there; their sessions, or a row of the project's that a trigger updates, may not be.
    """
    deeper = [step for step in path.via[1:] if not step.endswith(")")]
    return not deeper and (path.table == f"{SCHEMA}.users" or path.events == ("INSERT",))


def _went_through(result: FlowResult) -> bool:
    """Whether every statement of the flow was met: rights that the metadata brought are no obstacle."""
    passed = result.outcome is Outcome.PASS or (result.outcome is Outcome.ALTERED and not result.changes)
    return passed and result.reason is None and result.mail is not Mail.SKIPPED


def _listed(flows: tuple[str, ...]) -> str:
    more = len(flows) - _MOST_FLOWS
    if more > 0:
        return f"{', '.join(flows[:_MOST_FLOWS])} and {more} more"
    return " and ".join(part for part in (", ".join(flows[:-1]), flows[-1]) if part)
