"""SARIF 2.1.0: one run with the rules that spoke, results, and notices of what was not analysed.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/. What GitHub reads of it: https://docs.github.com,
"SARIF support for code scanning"; it takes results in files only, so in SQL that was looked at a result without a place
gets the first line of the whole. Of a database there are no files, and no such places. What a branch mends is not in it
as "absent": whoever does not read baselineState would open an alert for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trigger_audit import __version__
from trigger_audit.report.fingerprints import Fingerprints, broken_fingerprint, problem_fingerprint
from trigger_audit.report.gathered import BROKEN, gathered, is_of_a_file, smoke_id
from trigger_audit.report.json import dumps
from trigger_audit.report.places import as_uri, in_repository
from trigger_audit.report.sarif_rules import LEVELS, Descriptors
from trigger_audit.report.words import problem_facts, problem_message, problem_title
from trigger_audit.smoke.model import Outcome
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
    from trigger_audit.report.formats import Result
    from trigger_audit.report.gathered import Gathered, Problem

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "triggerAudit/v1"


def sarif_log(result: Result) -> str:
    """The document, indented, ASCII only."""
    told = gathered(result)
    descriptors = Descriptors()
    fingerprints = Fingerprints()
    results = []
    for finding, is_new in told.told_findings():
        state = "new" if is_new else "unchanged"
        is_compared = told.base is not None or finding.baseline is not None
        fingerprint = fingerprints.unique(finding.fingerprint)
        results.append(finding_result(told, descriptors, finding, fingerprint, state if is_compared else None))
    results += [
        broken_result(told, descriptors, item, fingerprints.unique(broken_fingerprint(item))) for item in told.broken
    ]
    for problem in told.problems:
        state = "new" if problem.new else "unchanged"
        fingerprint = fingerprints.unique(problem_fingerprint(problem))
        results.append(problem_result(told, descriptors, problem, fingerprint, state if told.base else None))
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "trigger-audit",
                        "version": __version__,
                        "rules": descriptors.documents,
                        "notifications": [
                            {
                                "id": "not-analysed",
                                "shortDescription": {"text": "what could not be looked at, and why"},
                            },
                            {"id": "not-run", "shortDescription": {"text": "flows that gave no verdict, and why"}},
                        ],
                    }
                },
                "automationDetails": {"id": f"trigger-audit/{told.command}/"},
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "invocations": [invocation(told)],
                "properties": {"target": told.target},
                "results": results,
            }
        ],
    }
    return dumps(log)


def finding_result(
    told: Gathered, descriptors: Descriptors, finding: Finding, fingerprint: str, state: str | None
) -> dict[str, Any]:
    place = finding.place
    names = [finding.object]
    names += [place.function] if place else []
    for path in finding.paths[:1]:
        names += [f"{path.table}.{path.trigger}"] if path.trigger else []
        names.append(path.table)
    document: dict[str, Any] = {
        **descriptors.reference(finding.rule),
        "level": LEVELS[finding.severity],
        "message": message(f"{finding.message}.", finding.why, f"Fix: {finding.fix}"),
        "locations": [location(told, finding.file_place, names)],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    if finding.suppressed is not None:
        kind = "external" if finding.excepted else "inSource"
        document["suppressions"] = [{"kind": kind, "justification": plain(finding.suppressed)}]
    if state is not None:
        document["baselineState"] = state
    document["properties"] = {
        "proof": finding.proof.value,
        "sqlstate": finding.sqlstate,
        "function": place.function if place else None,
        "functionLine": place.line if place else None,
        "observedIn": list(finding.observed_in),
        "paths": [
            {"via": list(path.via), "events": list(path.events), "flows": list(path.flows)} for path in finding.paths
        ],
    }
    return document


def problem_result(
    told: Gathered, descriptors: Descriptors, problem: Problem, fingerprint: str, state: str | None
) -> dict[str, Any]:
    step = problem.step
    culprits = list(dict.fromkeys(culprit.name for flow in problem.flows for culprit in flow.culprits))
    names = [step.function] if step and step.function else culprits or ["auth.users"]
    facts = (f"{label}: {fact}." for label, fact in problem_facts(problem))
    document: dict[str, Any] = {
        **descriptors.reference(smoke_id(problem.outcome)),
        "level": LEVELS[problem.severity],
        "message": message(f"{problem_title(problem)}: {problem_message(problem)}.", *facts),
        "locations": [location(told, told.place_of(problem), names)],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    if state is not None:
        document["baselineState"] = state
    document["properties"] = {
        "flows": [f"{flow.flow} ({flow.payload.value})" for flow in problem.flows],
        "latent": all(flow.latent for flow in problem.flows),
        "asExpected": all(flow.as_expected is True for flow in problem.flows),
        "sqlstate": step.sqlstate if step else None,
        "statement": step.statement if step else None,
        "culprits": culprits,
    }
    return document


def broken_result(told: Gathered, descriptors: Descriptors, item: NotAnalysed, fingerprint: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        **descriptors.reference(BROKEN),
        "level": "error",
        "message": message(item.reason),
        "locations": [location(told, item.file_place, [])],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    if told.base:
        document["baselineState"] = "new"
    return document


def message(*sentences: str) -> dict[str, str]:
    """Plain text, less what SARIF reads in it: `{0}` is a placeholder, `[text](target)` a link."""
    text = "\n".join(plain(sentence) for sentence in sentences if sentence)
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")}


def location(told: Gathered, place: FilePlace | None, names: list[str]) -> dict[str, Any]:
    """Where in the files, and in the database. A key is left out where there is nothing to say."""
    found: dict[str, Any] = {}
    path = in_repository(place.file) if place is not None else None
    if path is None:
        place, path = None, in_repository(told.whole_target or "")
    if path is not None:
        found["physicalLocation"] = {
            "artifactLocation": {"uri": as_uri(path), "uriBaseId": _ROOT},
            "region": region(place) if place is not None else {"startLine": 1},
        }
    logical = [{"fullyQualifiedName": plain(name), "kind": told.kind_of(name)} for name in dict.fromkeys(names)]
    if logical:
        found["logicalLocations"] = logical
    return found


def region(place: FilePlace) -> dict[str, int]:
    """SARIF's columns count from 1 as well, and its end is outside too."""
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def invocation(told: Gathered) -> dict[str, Any]:
    notices = [
        {
            "descriptor": {"id": "not-analysed"},
            "level": "warning",
            "message": message(item.reason),
            "locations": [location(told, item.file_place, [] if is_of_a_file(item) else [item.object])],
        }
        for item in told.not_analysed
    ]
    reasons: dict[str, list[str]] = {}
    for flow in told.flows:
        if flow.outcome is Outcome.SKIPPED:
            reasons.setdefault(flow.reason or "", []).append(f"{flow.flow} ({flow.payload.value})")
    told_reasons = [(f"{', '.join(flows)}: {reason}", "warning") for reason, flows in reasons.items()]
    told_reasons += [(gap, "note") for gap in told.gaps]
    told_reasons += [(told.not_smoked, "error")] if told.not_smoked is not None else []
    notices += [
        {"descriptor": {"id": "not-run"}, "level": level, "message": message(text)} for text, level in told_reasons
    ]
    return {
        "executionSuccessful": told.not_smoked is None and told.rolled_back,
        "toolExecutionNotifications": notices,
    }
