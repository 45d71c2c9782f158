"""Code Quality of GitLab: a JSON list of what is wrong, each with a path, a line and a fingerprint.

GitLab itself compares the report of a merge request with that of its target branch, so all of the state is told, also
where a check has a base. The format: https://docs.gitlab.com/ci/testing/code_quality/, "Code Quality report format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trigger_audit.findings.model import Severity
from trigger_audit.report.fingerprints import Fingerprints, broken_fingerprint, problem_fingerprint
from trigger_audit.report.gathered import BROKEN, gathered, smoke_id
from trigger_audit.report.json import dumps
from trigger_audit.report.places import in_repository
from trigger_audit.report.words import problem_message, problem_title
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.findings.model import FilePlace
    from trigger_audit.report.formats import Result
    from trigger_audit.report.gathered import Gathered

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}
_DATABASE = "database"


def code_quality(result: Result) -> str:
    """The list, indented. What was not analysed is in it as info, for GitLab shows nothing else of a report."""
    told = gathered(result)
    fingerprints = Fingerprints()
    issues = []
    for finding in told.findings:
        if finding.suppressed is None:
            line = finding.place.line if finding.place else None
            issues.append(
                issue(
                    f"{finding.message} ({finding.object})",
                    finding.rule,
                    fingerprints.unique(finding.fingerprint),
                    _SEVERITIES[finding.severity],
                    located(told, finding.file_place, finding.object, line),
                )
            )
    for item in told.broken:
        fingerprint = fingerprints.unique(broken_fingerprint(item))
        location = located(told, item.file_place, item.object, item.line)
        issues.append(issue(item.reason, BROKEN, fingerprint, "critical", location))
    for problem in told.problems:
        step = problem.step
        name = (step.function if step else None) or problem.flows[0].flow
        issues.append(
            issue(
                f"{problem_title(problem)}: {problem_message(problem)}",
                smoke_id(problem.outcome),
                fingerprints.unique(problem_fingerprint(problem)),
                _SEVERITIES[problem.severity],
                located(told, told.place_of(problem), name, step.line if step else None),
            )
        )
    for item in told.not_analysed:
        fingerprint = fingerprints.unique(broken_fingerprint(item))
        location = located(told, item.file_place, item.object, item.line)
        issues.append(issue(f"not analysed: {item.reason}", "not-analysed", fingerprint, "info", location))
    return dumps(issues)


def issue(description: str, check: str, fingerprint: str, severity: str, location: tuple[str, int]) -> dict[str, Any]:
    path, line = location
    return {
        "description": plain(description),
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    }


def located(told: Gathered, place: FilePlace | None, name: str, line: int | None) -> tuple[str, int]:
    """A path and a line, which GitLab demands: the file; else the SQL that was looked at; else the object's own name
    below a folder that is none, with the line of its body.
    """
    path = in_repository(place.file) if place is not None else None
    if place is not None and path is not None:
        return plain(path), place.line
    whole = in_repository(told.whole_target or "")
    if whole is not None:
        return plain(whole), 1
    return plain(f"{_DATABASE}/{name}"), line or 1
