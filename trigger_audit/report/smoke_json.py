"""`trigger-audit/smoke/1`: the JSON contract of a smoke run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trigger_audit import __version__
from trigger_audit.report.json import file_line, not_analysed_document

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Hazard
    from trigger_audit.check.source_map import SourceMap
    from trigger_audit.pipeline import SmokeResult
    from trigger_audit.smoke.model import FailedStep, FlowResult, HiddenError


def smoke_document(result: SmokeResult) -> dict[str, Any]:
    """The whole run; durations in milliseconds are the only thing that differs between two runs."""
    report = result.report
    session = report.session
    places = result.source_map
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
        "flows": [flow_document(flow, places) for flow in report.flows],
        "hidden_errors": [_with_file(error, places) for error in report.hidden_errors],
        "hazards": [_with_file(hazard, places) for hazard in report.hazards],
        "toggles": [asdict(toggle) for toggle in report.toggles],
        "strongest_lock": report.strongest_lock,
        "rolled_back": report.rolled_back,
        "not_analysed": [not_analysed_document(item) for item in result.not_analysed],
        "summary": report.summary,
    }


def _with_file(found: HiddenError | Hazard, places: SourceMap | None) -> dict[str, Any]:
    place = None if places is None else places.of_line(found.function, found.line)
    return {**asdict(found), **file_line(place)}


def _step(step: FailedStep, places: SourceMap | None) -> dict[str, Any]:
    return {**asdict(step), **file_line(None if places is None else places.of_step(step))}


def flow_document(flow: FlowResult, places: SourceMap | None = None) -> dict[str, Any]:
    """One flow; `places` knows where the files define what it met."""
    return {
        "flow": flow.flow,
        "payload": flow.payload.value,
        "latent": flow.latent,
        "outcome": flow.outcome.value,
        "reason": flow.remark,
        "failed_step": _step(flow.failed_step, places) if flow.failed_step else None,
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
                "behind": culprit.behind,
                "alone": culprit.alone,
                "earlier": culprit.earlier,
                "policies": list(culprit.policies),
            }
            for culprit in flow.culprits
        ],
        "milliseconds": flow.milliseconds,
    }
