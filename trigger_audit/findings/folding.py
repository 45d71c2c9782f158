"""One fault, one finding: the same fault met on several ways is merged, and the more exact rule speaks alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from trigger_audit.findings.fingerprint import fingerprint
from trigger_audit.findings.model import Finding, Path, Severity
from trigger_audit.findings.seen import seen_by_the_user

# A name that does not resolve, told exactly: the general advice about the same function then adds nothing.
_UNRESOLVED = ("TA101", "TA102")
_EVENTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


def merged_paths(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Paths that differ only in events and flows become one; sorted."""
    joined: dict[tuple[str, str | None, tuple[str, ...]], tuple[set[str], set[str]]] = {}
    for path in paths:
        events, flows = joined.setdefault((path.table, path.trigger, path.via), (set(), set()))
        events.update(path.events)
        flows.update(path.flows)
    return tuple(
        Path(table, trigger, tuple(event for event in _EVENTS if event in events), via, tuple(sorted(flows)))
        for (table, trigger, via), (events, flows) in sorted(
            joined.items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2])
        )
    )


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """The same rule, object, place and cause on several ways: one finding, the gravest of them, with all the paths."""
    grouped: dict[tuple[str, str, str, int, int, str], list[Finding]] = {}
    for finding in findings:
        place = finding.place
        where = (place.function, place.line, place.column) if place else ("", 0, 0)
        grouped.setdefault((finding.rule, finding.object, *where, finding.cause), []).append(finding)
    merged = []
    for same in grouped.values():
        gravest = max(same, key=lambda finding: finding.severity.rank)
        paths = merged_paths(path for finding in same for path in finding.paths)
        seen = tuple(dict.fromkeys(one for finding in same for one in finding.seen)) if gravest.seen else ()
        merged.append(replace(gravest, paths=paths, seen=seen))
    return merged


def fold(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Merge, drop what a more exact finding says better, give fingerprints, and sort."""
    merged = merge(findings)
    unresolved = {finding.object for finding in merged if finding.rule in _UNRESOLVED}
    refused = {_where(finding) for finding in merged if finding.rule.startswith("TA1") and finding.place}
    refused_functions = {function for function, _ in refused}

    hidden = [finding for finding in merged if finding.hidden_by is not None]
    unreadable = {finding.object for finding in merged if finding.rule == "TA001"}

    def said_better(finding: Finding) -> bool:
        if finding.rule == "TA114":
            return finding.object in unreadable
        if finding.rule == "TA501":
            return finding.object in unresolved
        if finding.rule == "TA302":
            return any(_hides(finding, named) for named in hidden)
        if finding.rule == "TA301":
            general = finding.severity is Severity.INFO and finding.object in refused_functions
            return general or _where(finding) in refused
        return False

    kept = [finding for finding in merged if not said_better(finding)]
    return tuple(sorted((_told(finding) for finding in kept), key=_order))


def weighed(findings: Iterable[Finding], severities: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """The findings of these rules with another severity, sorted anew; the fingerprint stays."""
    changed = (replace(one, severity=severities.get(one.rule, one.severity)) for one in findings)
    return tuple(sorted(changed, key=_order))


def _told(finding: Finding) -> Finding:
    why = " ".join(part for part in (finding.why, seen_by_the_user(finding.seen)) if part)
    return replace(finding, why=why, seen=(), fingerprint=fingerprint(finding))


def _hides(handler: Finding, named: Finding) -> bool:
    """Whether a finding about a handler is about the one that hides another finding: its line, on the same way."""
    if handler.place is None or handler.place.line != named.hidden_by:
        return False
    return any(
        path.via[: len(outer.via)] == outer.via and path.table == outer.table
        for outer in handler.paths
        for path in named.paths
    )


def _where(finding: Finding) -> tuple[str, int]:
    return (finding.object, finding.place.line if finding.place else 0)


def _order(finding: Finding) -> tuple[int, str, int, int, str, str]:
    place = finding.place
    return (
        -finding.severity.rank,
        finding.object,
        place.line if place else 0,
        place.column if place else 0,
        finding.rule,
        finding.cause,
    )
