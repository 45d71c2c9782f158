"""One line a finding (file or object, line and column, severity, code, fact), a flow, or a thing not analysed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.report.table import not_counted, stale_line
from trigger_audit.report.words import ending
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.check.model import CheckResult, FlowChange
    from trigger_audit.findings.model import Finding, NotAnalysed
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.smoke.model import FlowResult, HiddenError


def scan_lines(result: ScanResult) -> str:
    """Every finding that counts on a line of its own, then what was not analysed, and what does not count."""
    lines = [finding_line(finding) for finding in result.findings if finding.counts]
    lines += [not_analysed_line(item) for item in result.not_analysed]
    lines += stale_lines(result) + left_out_lines(result)
    return "".join(f"{line}\n" for line in lines)


def stale_lines(result: ScanResult) -> list[str]:
    """What of the baseline is gone."""
    return [plain(f"note: in the baseline, and gone: {stale_line(entry)}") for entry in result.settled.stale]


def left_out_lines(result: ScanResult) -> list[str]:
    """How many findings do not count."""
    left_out = not_counted(result.findings)
    return [f"note: not counted{left_out}"] if left_out else []


def finding_line(finding: Finding) -> str:
    """`object:line:column: severity code fact`; in a file `path:line:column: severity code fact [object]`."""
    place, file_place = finding.place, finding.file_place
    told = f"{finding.severity.value} {finding.rule} {finding.message}"
    if file_place is not None:
        return plain(f"{file_place}: {told} [{finding.object}]")
    where = f"{finding.object}:{place.line}:{place.column}" if place else finding.object
    return plain(f"{where}: {told}")


def not_analysed_line(item: NotAnalysed) -> str:
    return plain(f"{item_line(item)}: not analysed: {item.reason}")


def item_line(item: NotAnalysed) -> str:
    """`1.sql:12:5`, where it is in a function as `1.sql:12:5: public.f():7`; without a file `public.f():7`."""
    inside = item.object if item.line is None else f"{item.object}:{item.line}"
    place = item.file_place
    if place is None:
        return inside
    return str(place) if item.object == place.file else f"{place}: {inside}"


def smoke_lines(result: SmokeResult) -> str:
    """Every flow on a line of its own, then what handlers hid, what the session leaves open, what was not analysed."""
    lines = [flow_line(flow) for flow in result.report.flows]
    lines += [hidden_line(error) for error in result.report.hidden_errors]
    lines += [plain(f"note: {gap}") for gap in result.report.session.gaps]
    lines += [not_analysed_line(item) for item in result.not_analysed]
    return "".join(f"{line}\n" for line in lines)


def check_lines(result: CheckResult) -> str:
    """What the migrations bring: findings, broken statements, failing flows, then what they mend and what is open."""
    lines = [finding_line(finding) for finding in result.added]
    lines += [broken_line(item) for item in result.broken]
    lines += [flow_line(flow) for flow in result.failing]
    lines += [plain(f"mended: {finding.rule} {finding.object}: {finding.message}") for finding in result.mended]
    lines += [change_line(change) for change in result.flows]
    lines += [plain(f"flows not run: {result.not_smoked}")] if result.not_smoked is not None else []
    lines += [not_analysed_line(item) for item in result.open_items]
    lines += stale_lines(result.scan)
    lines += left_out_lines(result.scan) if result.base is None else []
    return "".join(f"{line}\n" for line in lines)


def broken_line(item: NotAnalysed) -> str:
    return plain(f"{item_line(item)}: error {item.reason}")


def change_line(change: FlowChange) -> str:
    flow = change.flow
    return plain(f"changed: {flow.flow}:{flow.payload.value}: {ending(change.before)} -> {ending(change.after)}")


def flow_line(flow: FlowResult) -> str:
    text = f"{flow.flow}:{flow.payload.value}: {flow.outcome.value}{against_expectation(flow)}"
    step = flow.failed_step
    if step is not None:
        line = "" if step.line is None else f":{step.line}"
        place = f" at {step.function}{line}" if step.function else ""
        text += f" {step.sqlstate or ''}{place} {step.message}"
        return plain(text + blamed(flow))
    told = [f"{change.what}: expected {change.expected}, found {change.found}" for change in flow.changes]
    told += [f"escalation: {got.table}.{got.column} = {got.value}" for got in flow.escalations]
    told += [flow.reason] if flow.reason else []
    return plain(" ".join((text, "; ".join(told))).rstrip() + blamed(flow))


def against_expectation(flow: FlowResult) -> str:
    if flow.as_expected is None:
        return ""
    return " (as expected)" if flow.as_expected else f" (not as expected: {flow.expected})"


def blamed(flow: FlowResult) -> str:
    return f" [{', '.join(f'{culprit.kind} {culprit.name}' for culprit in flow.culprits)}]" if flow.culprits else ""


def hidden_line(error: HiddenError) -> str:
    where = error.function if error.line is None else f"{error.function}:{error.line}"
    return plain(f"{where}: hidden {error.sqlstate} in {error.flow}: {error.message}")
