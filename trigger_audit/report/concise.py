"""One line a finding: object, line and column, severity, code, fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.report.escape import plain

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding
    from trigger_audit.scan import ScanResult


def scan_lines(result: ScanResult) -> str:
    """Every finding on a line of its own, nothing else."""
    return "".join(f"{finding_line(finding)}\n" for finding in result.findings)


def finding_line(finding: Finding) -> str:
    place = finding.place
    where = f"{finding.object}:{place.line}:{place.column}" if place else finding.object
    return plain(f"{where}: {finding.severity.value} {finding.rule} {finding.message}")
