"""`trigger-audit/smoke/1`: the JSON contract of a smoke run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trigger_audit import __version__

if TYPE_CHECKING:
    from trigger_audit.pipeline import SmokeResult
    from trigger_audit.smoke.model import FlowResult


def smoke_document(result: SmokeResult) -> dict[str, Any]:
    """The whole run; durations in milliseconds are the only thing that differs between two runs."""
    report = result.report
    session = report.session
    return {
        "schema": "trigger-audit/smoke/1",
        "version": __version__,
        "target": dict(report.target),
        "session": {
            "role": session.role,
            "by": session.by.value,
            "search_path": session.search_path,
            "gaps": list(session.gaps),
        },
        "flows": [flow_document(flow) for flow in report.flows],
        "hidden_errors": [asdict(error) for error in report.hidden_errors],
        "hazards": [asdict(hazard) for hazard in report.hazards],
        "toggles": [asdict(toggle) for toggle in report.toggles],
        "strongest_lock": report.strongest_lock,
        "rolled_back": report.rolled_back,
        "not_analysed": [asdict(item) for item in result.not_analysed],
        "summary": report.summary,
    }


def flow_document(flow: FlowResult) -> dict[str, Any]:
    return {
        "flow": flow.flow,
        "payload": flow.payload.value,
        "latent": flow.latent,
        "outcome": flow.outcome.value,
        "reason": flow.remark,
        "failed_step": asdict(flow.failed_step) if flow.failed_step else None,
        "response": asdict(flow.response) if flow.response else None,
        "mail": flow.mail.value,
        "changes": [asdict(change) for change in flow.changes],
        "escalations": [asdict(escalation) for escalation in flow.escalations],
        "culprits": [
            {
                "kind": culprit.kind,
                "name": culprit.name,
                "necessary": culprit.necessary,
                "sufficient": culprit.sufficient,
                "group": list(culprit.group),
            }
            for culprit in flow.culprits
        ],
        "milliseconds": flow.milliseconds,
    }
