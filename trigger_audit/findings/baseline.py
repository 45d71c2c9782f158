"""A baseline: the findings that a project had when it wrote them down, so that only new ones fail a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from trigger_audit.findings.model import BaselineState, Finding, Severity


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a fault. It is known again by `fingerprint`; `rule`, `object` and `message` are for the reader.

    `count` is how often it is there: a function may hold the same faulty statement twice. `severity` is the rule's own
    one: a fault that has become graver since is new.
    """

    rule: str
    severity: Severity
    object: str
    message: str
    count: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """Sorted entries, no two of the same rule, severity, object and fingerprint."""

    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """The findings in their order, each new or unchanged, and what of the baseline was not found.

    `stale` are faults that are gone, each with how often it is. `unjudged` are those of which this run cannot tell: the
    rule was not asked, or the object not analysed.
    """

    findings: tuple[Finding, ...]
    stale: tuple[Entry, ...]
    unjudged: tuple[Entry, ...]


def baseline_of(findings: Iterable[Finding], kept: Iterable[Entry] = ()) -> Baseline:
    """All findings that are not suppressed, and the entries kept of an older baseline."""
    entries = [
        Entry(each.rule, each.severity, each.object, each.message, 1, each.fingerprint)
        for each in findings
        if each.suppressed is None
    ]
    return of_entries([*entries, *kept])


def of_entries(entries: Iterable[Entry]) -> Baseline:
    """Those of the same fault counted together, with the first one's message; sorted for the reader."""
    counts: Counter[tuple[str, str, str, Severity]] = Counter()
    first: dict[tuple[str, str, str, Severity], Entry] = {}
    for entry in entries:
        key = (entry.rule, entry.object, entry.fingerprint, entry.severity)
        counts[key] += entry.count
        first.setdefault(key, entry)
    joined = (replace(entry, count=counts[key]) for key, entry in first.items())
    return Baseline(tuple(sorted(joined, key=_order)))


def compared(
    findings: Sequence[Finding],
    baseline: Baseline,
    *,
    judged: Collection[str],
    not_analysed: Collection[str] = (),
) -> Compared:
    """Each finding as new or unchanged. A suppressed one is unchanged, and takes nothing from the baseline.

    `judged` are the codes of the rules that were asked, `not_analysed` the objects that could not be looked at. Of
    several findings with one fingerprint the first ones are known, as many as the baseline has.
    """
    # The gravest first on both sides, so that no graver finding is taken for known in the place of a lesser one.
    left = Counter({entry: entry.count for entry in baseline.entries})
    entries: dict[str, list[Entry]] = {}
    for entry in sorted(baseline.entries, key=lambda entry: -entry.severity.rank):
        entries.setdefault(entry.fingerprint, []).append(entry)
    known = set()
    for number, finding in sorted(enumerate(findings), key=lambda pair: -pair[1].severity.rank):
        if finding.suppressed is not None:
            continue
        gravest = next((each for each in entries.get(finding.fingerprint, ()) if left[each]), None)
        if gravest is not None and gravest.severity.rank >= finding.severity.rank:
            left[gravest] -= 1
            known.add(number)
    told = tuple(
        replace(each, baseline=BaselineState.UNCHANGED if number in known or each.suppressed else BaselineState.NEW)
        for number, each in enumerate(findings)
    )
    gone = [replace(entry, count=left[entry]) for entry in baseline.entries if left[entry]]
    stale: list[Entry] = []
    unjudged: list[Entry] = []
    for entry in gone:
        is_judged = entry.rule in judged and entry.object not in not_analysed
        (stale if is_judged else unjudged).append(entry)
    return Compared(told, tuple(stale), tuple(unjudged))


def pruned(baseline: Baseline, stale: Iterable[Entry]) -> Baseline:
    """The baseline without the entries that are stale, or with what is left of their counts."""
    gone = {(each.rule, each.object, each.fingerprint, each.severity): each.count for each in stale}
    left = (
        replace(each, count=each.count - gone.get((each.rule, each.object, each.fingerprint, each.severity), 0))
        for each in baseline.entries
    )
    return Baseline(tuple(each for each in left if each.count > 0))


def _order(entry: Entry) -> tuple[str, str, str, str, int]:
    return entry.rule, entry.object, entry.message, entry.fingerprint, -entry.severity.rank
