"""One line a finding: object, line and column, severity, code, fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.report.escape import plain

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding
    from trigger_audit.pipeline import ScanResult
    from trigger_audit.smoke.model import FlowResult, SmokeReport


def scan_lines(result: ScanResult) -> str:
    """Every finding on a line of its own, nothing else."""
    return "".join(f"{finding_line(finding)}\n" for finding in result.findings)


def finding_line(finding: Finding) -> str:
    place = finding.place
    where = f"{finding.object}:{place.line}:{place.column}" if place else finding.object
    return plain(f"{where}: {finding.severity.value} {finding.rule} {finding.message}")


def smoke_lines(report: SmokeReport) -> str:
    """Every flow on a line of its own."""
    return "".join(f"{flow_line(flow)}\n" for flow in report.flows)


def flow_line(flow: FlowResult) -> str:
    text = f"{flow.flow}:{flow.payload.value}: {flow.outcome.value}"
    step = flow.failed_step
    if step is not None:
        place = f" at {step.function}:{step.line}" if step.function else ""
        text += f" {step.sqlstate or ''}{place} {step.message}"
    elif flow.reason:
        text += f" {flow.reason}"
    return plain(text)
