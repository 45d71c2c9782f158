"""The default text of a check: what the migrations bring, break and mend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Severity
from trigger_audit.report.gathered import problems_of
from trigger_audit.report.smoke_table import altered_text, failure_text, listed, skipped_text, unexpected_text
from trigger_audit.report.table import (
    Style,
    count,
    counted,
    finding_text,
    head_place,
    item_place,
    not_analysed_text,
    not_counted,
    stale_text,
)
from trigger_audit.report.words import grouped_changes
from trigger_audit.smoke.model import Outcome
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.check.model import CheckResult, FlowChange
    from trigger_audit.findings.model import Finding, NotAnalysed


def check_text(result: CheckResult, style: Style) -> str:
    """Findings, broken statements and failing flows of the migrations, what they mend and change, one closing line."""
    blocks = [finding_text(finding, style) for finding in result.added]
    blocks += [broken_text(item, style) for item in result.broken]
    sources = result.smoke.sources if result.smoke else {}
    source_map = result.smoke.source_map if result.smoke else None
    for problem in problems_of(result.failing):
        if problem.step is not None:
            blocks.append(failure_text(problem.step, list(problem.flows), style, sources, source_map))
        elif problem.outcome is Outcome.ALTERED:
            blocks.append(altered_text(list(problem.flows), style))
    notes = unexpected_text(result.failing, style) + skipped_text(result.skipped, style)
    if notes:
        blocks.append("".join(notes))
    if result.mended:
        blocks.append(mended_text(result.mended, style))
    if result.flows:
        blocks.append(changes_text(result.flows, style))
    if result.not_smoked is not None:
        blocks.append(style.line("flows not run", "error", f": {result.not_smoked}"))
    if result.open_items:
        blocks.append(not_analysed_text(result.open_items, style))
    if result.scan.settled.stale:
        blocks.append(stale_text(result.scan.settled.stale, style))
    blocks.append(closing_line(result, style))
    return "\n".join(blocks)


def broken_text(item: NotAnalysed, style: Style) -> str:
    """A statement that PostgreSQL refuses whatever the database holds."""
    head = style.paint("error", "error") + style.paint("strong", f" {plain(item.reason)}")
    return f"{head}\n  {style.paint('gutter', '-->')} {plain(item_place(item))}\n"


def mended_text(findings: Iterable[Finding], style: Style) -> str:
    """What only the base has; one line each."""
    lines = [f"{finding.rule} {head_place(finding)}: {finding.message}" for finding in findings]
    return style.paint("good", "mended:") + "\n" + "".join(style.line("  ", None, line, indent=6) for line in lines)


def changes_text(changes: Iterable[FlowChange], style: Style) -> str:
    """How flows ended before and end now; those that changed alike share a line."""
    lines = [style.paint("strong", "flows that change:") + "\n"]
    for (before, after), flows in grouped_changes(changes).items():
        lines.append(style.line("  ", None, f"{listed(flows)}: {before} -> {after}", indent=6))
    return "".join(lines)


def closing_line(result: CheckResult, style: Style) -> str:
    """What the migrations bring, mend and break, and what they were compared with."""
    numbers = {severity: sum(found.severity is severity for found in result.added) for severity in Severity}
    kind = next((severity.value for severity, number in numbers.items() if number), "good")
    if result.broken or result.failing or result.not_smoked is not None:
        kind = "error"
    found = counted(numbers)
    if result.base is not None:
        found = f"new: {found}" if result.added else "no new findings"
    else:
        found += not_counted(result.scan.findings)
    parts = [style.paint(kind, found)]
    parts += [f"{len(result.mended)} mended"] if result.mended else []
    parts += [count(len(result.broken), "broken statement")] if result.broken else []
    if result.smoke is None:
        parts.append("flows not run")
    elif result.failing:
        parts.append(f"{count(len(result.failing), 'flow')} {'newly ' if result.base else ''}failing or altered")
    else:
        parts.append("no flow newly breaks" if result.base else "no flow breaks")
    against = f"; compared with {plain(result.base.ref)} ({result.base.commit[:12]})" if result.base else ""
    return (
        f"{', '.join(parts)}; {len(result.open_items)} not analysed{against}; "
        f"PostgreSQL {result.scan.target.server_version}\n"
    )
