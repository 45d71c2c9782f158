"""`trigger-audit/check/1`: the JSON contract of a check."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trigger_audit import __version__
from trigger_audit.findings.model import Severity
from trigger_audit.report.json import finding_document, not_analysed_document, scan_document
from trigger_audit.report.smoke_json import flow_document, smoke_document

if TYPE_CHECKING:
    from trigger_audit.check.model import CheckResult, FlowChange
    from trigger_audit.check.source_map import SourceMap


def check_document(result: CheckResult) -> dict[str, Any]:
    """What the migrations bring, with the whole documents of the scan and of the smoke run of the state after them."""
    places = None if result.smoke is None else result.smoke.source_map
    return {
        "schema": "trigger-audit/check/1",
        "version": __version__,
        "target": asdict(result.scan.target),
        "base": None if result.base is None else asdict(result.base),
        "scan": scan_document(result.scan),
        "smoke": None if result.smoke is None else smoke_document(result.smoke),
        "not_smoked": result.not_smoked,
        "added": [finding.fingerprint for finding in result.added],
        "mended": [finding_document(finding) for finding in result.mended],
        "flows": [change_document(change, places) for change in result.flows],
        "failing": [{"flow": flow.flow, "payload": flow.payload.value} for flow in result.failing],
        "broken": [not_analysed_document(item) for item in result.broken],
        "not_analysed": [not_analysed_document(item) for item in result.not_analysed],
        "summary": {
            **{severity.value: sum(found.severity is severity for found in result.added) for severity in Severity},
            "mended": len(result.mended),
            "failing": len(result.failing),
            "changed": len(result.flows),
            "broken": len(result.broken),
            "not_analysed": len(result.not_analysed),
        },
    }


def change_document(change: FlowChange, places: SourceMap | None = None) -> dict[str, Any]:
    """The flow as it was and as it is; null where that side does not run it. `places` are those of what it is now."""
    return {
        "flow": change.flow.flow,
        "payload": change.flow.payload.value,
        "before": None if change.before is None else flow_document(change.before),
        "after": None if change.after is None else flow_document(change.after, places),
    }
