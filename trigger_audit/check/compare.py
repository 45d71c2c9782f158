"""Before and after: which findings the migrations bring or mend, and which flows they change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from trigger_audit.check.model import FlowChange
from trigger_audit.findings.baseline import baseline_of, compared
from trigger_audit.findings.fingerprint import normalised
from trigger_audit.findings.model import BaselineState, Severity
from trigger_audit.sandbox.splitter import tokens
from trigger_audit.smoke.model import Outcome, failing_flows
from trigger_audit.unmade import MISSING

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding, NotAnalysed
    from trigger_audit.sandbox.migrations import FailedStatement
    from trigger_audit.smoke.model import FlowResult

_T = TypeVar("_T")
_RANKS = {Outcome.ALTERED: 1, Outcome.FAIL: 2}
# Classes and codes of SQLSTATE.
_SYNTAX_OR_RULE, _DATA, _DEPENDED_ON = "42", "22", "2BP01"
_OF_THE_DATABASE = MISSING | {"42501"}


def added(before: Sequence[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that count now and were not there before, or not as grave, in their order.

    What was there before is like a baseline: the same fault can be there twice, and as many as before are not new.
    """
    # Those that do not count anyway first: the same fault a second time is the new one.
    found = sorted(after, key=lambda each: each.counts)
    told = compared(found, baseline_of(before), judged=()).findings
    pairs = zip(found, told, strict=True)
    return tuple(each for each, said in pairs if each.counts and said.baseline is BaselineState.NEW)


def mended(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that are gone. What an ignore comment silences is still there.

    Without infos: they go with every change of the statement that they are about, and nothing was to be mended.
    """
    counted = (each for each in before if each.suppressed is None and each.severity is not Severity.INFO)
    return _beyond(after, counted, lambda each: each.fingerprint)


def changed_flows(before: Sequence[FlowResult], after: Sequence[FlowResult]) -> tuple[FlowChange, ...]:
    """The flows that end otherwise, or fail of something else; in the order of those after, then the others."""
    was = {flow.key: flow for flow in before}
    now = {flow.key: flow for flow in after}
    pairs = [FlowChange(was.get(key), flow) for key, flow in now.items()]
    pairs += [FlowChange(flow, None) for key, flow in was.items() if key not in now]
    return tuple(each for each in pairs if _outcome(each.before) != _outcome(each.after))


def worse_flows(before: Sequence[FlowResult], after: Sequence[FlowResult]) -> tuple[FlowResult, ...]:
    """Those of the failing flows that did not fail before, or of something else, or did not count."""
    was = {flow.key: flow for flow in before}

    def is_worse(flow: FlowResult) -> bool:
        earlier = was.get(flow.key)
        if earlier is None or earlier.as_expected or (earlier.latent and not flow.latent):
            return True
        ranks = _RANKS.get(flow.outcome, 0), _RANKS.get(earlier.outcome, 0)
        return ranks[0] > ranks[1] or (ranks[0] == ranks[1] and _outcome(flow) != _outcome(earlier))

    return tuple(flow for flow in failing_flows(after) if is_worse(flow))


def newly_skipped(before: Iterable[FlowResult], after: Iterable[FlowResult]) -> tuple[FlowResult, ...]:
    """The flows without a verdict, less those that had none before."""
    known = {flow.key for flow in before if flow.outcome is Outcome.SKIPPED}
    skipped = (flow for flow in after if flow.outcome is Outcome.SKIPPED)
    return tuple(flow for flow in skipped if flow.key not in known)


def broken_statements(failed: Iterable[FailedStatement]) -> tuple[FailedStatement, ...]:
    """The statements that PostgreSQL refuses whatever else the database holds: bad syntax, types that do not fit, what
    is there already, what others depend on.

    What is missing may have been made elsewhere (in the dashboard), rights are granted by other means on a hosted
    project, and rows of a live system are in no migration: those say less about the migration than about the sandbox.
    """
    return tuple(each for each in failed if each.sqlstate is not None and _is_certain(each.sqlstate, each.statement))


def _is_certain(sqlstate: str, statement: str) -> bool:
    if sqlstate == _DEPENDED_ON:
        return True
    if sqlstate.startswith(_DATA):
        # Of a statement that handles rows it is these rows.
        first = next((token.word for token in tokens(statement)), "")
        return first in ("create", "alter", "comment", "drop")
    return sqlstate.startswith(_SYNTAX_OR_RULE) and sqlstate not in _OF_THE_DATABASE


def newly_broken(before: Sequence[FailedStatement], after: Sequence[FailedStatement]) -> tuple[FailedStatement, ...]:
    """The broken statements that are not among those of the base, as often as there."""
    return _beyond(before, broken_statements(after), lambda each: (normalised(each.statement), each.sqlstate))


def newly_open(before: Iterable[NotAnalysed], after: Iterable[NotAnalysed]) -> tuple[NotAnalysed, ...]:
    """What could not be looked at and was not among it before, wherever its line is now."""
    return _beyond(before, after, lambda each: (each.object, each.reason))


def _beyond(known: Iterable[_T], items: Iterable[_T], key: Callable[[_T], Hashable]) -> tuple[_T, ...]:
    """The items that are more than as many of the same key as are known."""
    left = Counter(map(key, known))
    more = []
    for item in items:
        left[key(item)] -= 1
        if left[key(item)] < 0:
            more.append(item)
    return tuple(more)


def _outcome(flow: FlowResult | None) -> tuple[object, ...]:
    """What makes two ends of a flow the same: the outcome, and of a failure the place, less lines, which may move."""
    if flow is None:
        return ()
    failed = flow.failed_step
    if failed is None:
        return flow.outcome, tuple(change.what for change in flow.changes)
    return flow.outcome, failed.index, failed.sqlstate, failed.function, failed.constraint, failed.message
