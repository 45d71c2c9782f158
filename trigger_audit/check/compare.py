"""Before and after: which findings the migrations bring or mend, and which flows they change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trigger_audit.check.model import FlowChange
from trigger_audit.findings.model import Severity
from trigger_audit.smoke.model import Outcome
from trigger_audit.unmade import MISSING

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding, NotAnalysed
    from trigger_audit.sandbox.migrations import FailedStatement
    from trigger_audit.smoke.model import FlowResult

_RANKS = {Outcome.ALTERED: 1, Outcome.FAIL: 2}
_OF_THE_DATABASE = MISSING | {"42501"}


def added(before: Sequence[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that count now and were not there before, or not with that severity, in their order.

    The same fault in the same statement can be there twice: as many as there were before are not new.
    """
    known = Counter(each.fingerprint for each in before if each.suppressed is None)
    highest: dict[str, int] = {}
    for each in before:
        if each.suppressed is None:
            highest[each.fingerprint] = max(each.severity.rank, highest.get(each.fingerprint, 0))
    new = []
    # Those of the baseline first: the same fault a second time is the new one.
    for each in sorted(after, key=lambda each: each.counts):
        if each.suppressed is not None:
            continue
        is_known = known[each.fingerprint] > 0
        known[each.fingerprint] -= 1
        # An exception handler taken away makes an error of what was a warning, and the finding stays the same.
        if each.counts and (not is_known or each.severity.rank > highest[each.fingerprint]):
            new.append(each)
    return tuple(new)


def mended(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that are gone. What an ignore comment silences is still there.

    Without infos: they go with every change of the statement that they are about, and nothing was to be mended.
    """
    left = Counter(each.fingerprint for each in after)
    gone = []
    for each in before:
        if each.suppressed is not None or each.severity is Severity.INFO:
            continue
        left[each.fingerprint] -= 1
        if left[each.fingerprint] < 0:
            gone.append(each)
    return tuple(gone)


def changed_flows(before: Sequence[FlowResult], after: Sequence[FlowResult]) -> tuple[FlowChange, ...]:
    """The flows that end otherwise, or fail of something else; in the order of those after, then the others."""
    was = {(flow.flow, flow.payload): flow for flow in before}
    now = {(flow.flow, flow.payload): flow for flow in after}
    pairs = [FlowChange(was.get(key), flow) for key, flow in now.items()]
    pairs += [FlowChange(flow, None) for key, flow in was.items() if key not in now]
    return tuple(each for each in pairs if _outcome(each.before) != _outcome(each.after))


def failing_flows(flows: Sequence[FlowResult]) -> tuple[FlowResult, ...]:
    """The flows that fail or are altered and should not be; latent ones only where the project says what it expects."""
    return tuple(
        flow
        for flow in flows
        if flow.as_expected is False or (flow.outcome in _RANKS and not flow.latent and not flow.as_expected)
    )


def worse_flows(before: Sequence[FlowResult], after: Sequence[FlowResult]) -> tuple[FlowResult, ...]:
    """Those of the failing flows that did not fail before, or were altered only."""
    was = {(flow.flow, flow.payload): flow for flow in before}

    def is_worse(flow: FlowResult) -> bool:
        earlier = was.get((flow.flow, flow.payload))
        if earlier is None or earlier.as_expected:
            return True
        return _RANKS.get(flow.outcome, 0) > _RANKS.get(earlier.outcome, 0)

    return tuple(flow for flow in failing_flows(after) if is_worse(flow))


def broken_statements(failed: Sequence[FailedStatement]) -> tuple[FailedStatement, ...]:
    """The statements that PostgreSQL refuses whatever else the database holds: errors of syntax and rule violations.

    What is missing may have been made elsewhere (in the dashboard), rights are granted by other means on a hosted
    project, and rows of a live system are in no migration: those say less about the migration than about the sandbox.
    """
    return tuple(
        each
        for each in failed
        if each.sqlstate is not None and each.sqlstate.startswith("42") and each.sqlstate not in _OF_THE_DATABASE
    )


def newly_broken(before: Sequence[FailedStatement], after: Sequence[FailedStatement]) -> tuple[FailedStatement, ...]:
    """The broken statements that are not among those of the base, as often as there."""
    known = Counter((each.statement, each.sqlstate) for each in before)
    new = []
    for each in broken_statements(after):
        known[each.statement, each.sqlstate] -= 1
        if known[each.statement, each.sqlstate] < 0:
            new.append(each)
    return tuple(new)


def newly_open(before: Iterable[NotAnalysed], after: Iterable[NotAnalysed]) -> tuple[NotAnalysed, ...]:
    """What could not be looked at and was not among it before, wherever its line is now."""
    known = Counter((each.object, each.reason) for each in before)
    new = []
    for each in after:
        known[each.object, each.reason] -= 1
        if known[each.object, each.reason] < 0:
            new.append(each)
    return tuple(new)


def _outcome(flow: FlowResult | None) -> tuple[object, ...]:
    """What makes two ends of a flow the same: the outcome, and of a failure the place, less lines, which may move."""
    if flow is None:
        return ()
    failed = flow.failed_step
    if failed is None:
        return flow.outcome, tuple(change.what for change in flow.changes)
    return flow.outcome, failed.index, failed.sqlstate, failed.function, failed.constraint, failed.message
