"""The JSON contract: fixed keys in a fixed order, ASCII only, no wall-clock noise besides a flow's milliseconds."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trigger_audit import __version__
from trigger_audit.findings.model import Severity

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Visit
    from trigger_audit.catalog.model import Trigger
    from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
    from trigger_audit.pipeline import ScanResult


def dumps(document: object) -> str:
    """Indented, ASCII only (escape codes and bidirectional marks cannot act), with a final line break."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def scan_document(result: ScanResult) -> dict[str, Any]:
    """`trigger-audit/scan/1`."""
    audit = result.audit
    live = [finding for finding in result.findings if finding.counts]
    suppressed = sum(finding.suppressed is not None for finding in result.findings)
    return {
        "schema": "trigger-audit/scan/1",
        "version": __version__,
        "target": asdict(result.target),
        "tables": [table.name for table in audit.tables],
        "triggers": [trigger_document(result, *found) for found in cascade_triggers(result)],
        "findings": [finding_document(finding) for finding in result.findings],
        "stale_baseline": [asdict(entry) for entry in result.settled.stale],
        "not_analysed": [not_analysed_document(item) for item in result.not_analysed],
        "summary": {
            **{severity.value: sum(finding.severity is severity for finding in live) for severity in Severity},
            "suppressed": suppressed,
            "baseline": len(result.findings) - len(live) - suppressed,
            "triggers": len(cascade_triggers(result)),
            "functions": len(functions_reached(result)),
            "not_analysed": len(result.not_analysed),
        },
    }


def not_analysed_document(item: NotAnalysed) -> dict[str, Any]:
    return {"object": item.object, "line": item.line, "reason": item.reason, **file_line(item.file_place)}


def file_line(place: FilePlace | None) -> dict[str, Any]:
    """Where the files say it; null for a database."""
    return {"file": place.file if place else None, "file_line": place.line if place else None}


def functions_reached(result: ScanResult) -> frozenset[int]:
    """The oids of all functions that the cascade runs."""
    return result.audit.cascade.reached


def cascade_triggers(result: ScanResult) -> list[tuple[Trigger, Visit | None]]:
    """The audited tables' triggers and those deeper in the cascade, with the shallowest visit; in firing order."""
    audit = result.audit
    shallowest: dict[int, Visit] = {}
    for visit in audit.cascade.visits:
        if visit.trigger is None:
            continue
        known = shallowest.get(visit.trigger.oid)
        if known is None or visit.depth < known.depth:
            shallowest[visit.trigger.oid] = visit
    audited = {table.oid for table in audit.tables}
    found = [
        (trigger, shallowest.get(trigger.oid))
        for trigger in audit.catalog.triggers
        if trigger.table in audited or trigger.oid in shallowest
    ]
    catalog = audit.catalog
    return sorted(
        found,
        key=lambda pair: (
            pair[1].depth if pair[1] else 0,
            catalog.tables[pair[0].table].name,
            pair[0].timing,
            pair[0].level,
            pair[0].order,
            pair[0].name,
        ),
    )


def trigger_document(result: ScanResult, trigger: Trigger, visit: Visit | None) -> dict[str, Any]:
    catalog = result.audit.catalog
    function = catalog.functions.get(trigger.function)
    return {
        "name": trigger.name,
        "table": catalog.tables[trigger.table].name,
        "function": function.name if function else None,
        "timing": trigger.timing,
        "events": list(trigger.events),
        "level": trigger.level,
        "columns": list(trigger.columns),
        "when": trigger.when,
        "enabled": trigger.enabled,
        "order": trigger.order,
        "constraint": trigger.constraint,
        "deferrable": trigger.deferrable,
        "initially_deferred": trigger.initially_deferred,
        "security": ("definer" if function.security_definer else "invoker") if function else None,
        "runs_as": visit.role if visit else (function.owner if function and function.security_definer else None),
        "search_path": list(visit.search_path) if visit else list((function.search_path if function else None) or ()),
        "depth": visit.depth if visit else 0,
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    place, file_place = finding.place, finding.file_place
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "object": finding.object,
        "paths": [
            {
                "table": path.table,
                "trigger": path.trigger,
                "events": list(path.events),
                "via": list(path.via),
                "flows": list(path.flows),
            }
            for path in finding.paths
        ],
        "function": place.function if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "end_line": place.end_line if place else None,
        "end_column": place.end_column if place else None,
        "statement": place.statement if place else None,
        "file": file_place.file if file_place else None,
        "file_line": file_place.line if file_place else None,
        "file_column": file_place.column if file_place else None,
        "file_end_line": file_place.end_line if file_place else None,
        "file_end_column": file_place.end_column if file_place else None,
        "message": finding.message,
        "why": finding.why,
        "fix": finding.fix,
        "proof": finding.proof.value,
        "sqlstate": finding.sqlstate,
        "hidden_by": finding.hidden_by,
        "fingerprint": finding.fingerprint,
        "suppressed": {"reason": finding.suppressed} if finding.suppressed is not None else None,
        "baseline": finding.baseline.value if finding.baseline is not None else None,
    }
