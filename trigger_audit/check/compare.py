"""Before and after: which findings the migrations bring or mend, and which flows they change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trigger_audit.check.model import FlowChange

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding
    from trigger_audit.smoke.model import FlowResult


def added(before: Sequence[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that count now and did not before, or not with that severity, in their order.

    The same fault in the same statement can be there twice: as many as there were before are not new.
    """
    known = Counter(each.fingerprint for each in before if each.suppressed is None)
    highest: dict[str, int] = {}
    for each in before:
        if each.suppressed is None:
            highest[each.fingerprint] = max(each.severity.rank, highest.get(each.fingerprint, 0))
    new = []
    for each in after:
        if each.suppressed is not None:
            continue
        is_known = known[each.fingerprint] > 0
        known[each.fingerprint] -= 1
        # An exception handler taken away makes an error of what was a warning, and the finding stays the same.
        if not is_known or each.severity.rank > highest[each.fingerprint]:
            new.append(each)
    return tuple(new)


def mended(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that are gone. What an ignore comment silences is still there."""
    left = Counter(each.fingerprint for each in after)
    gone = []
    for each in before:
        if each.suppressed is not None:
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


def _outcome(flow: FlowResult | None) -> tuple[object, ...]:
    """What makes two ends of a flow the same: the outcome, and of a failure the place, less lines, which may move."""
    if flow is None:
        return ()
    failed = flow.failed_step
    if failed is None:
        return flow.outcome, tuple(change.what for change in flow.changes)
    return flow.outcome, failed.index, failed.sqlstate, failed.function, failed.constraint, failed.message
