"""Code Quality of GitLab: a JSON list of what is wrong, each with a path, a line and a fingerprint.

GitLab itself compares the report of a merge request with that of its target branch, so all of the state is told, also
where a check has a base. The format: https://docs.gitlab.com/ci/testing/code_quality/, "Code Quality report format".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trigger_audit.findings.model import Severity
from trigger_audit.report.fingerprints import Fingerprints, broken_fingerprint, problem_fingerprint
from trigger_audit.report.gathered import file_of, gathered
from trigger_audit.report.places import in_repository
from trigger_audit.report.words import problem_message, problem_title
from trigger_audit.visible import plain

if TYPE_CHECKING:
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
            place = finding.file_place
            inside = finding.place.line if finding.place else None
            path, line = (place.file, place.line) if place else (None, inside)
            issues.append(
                issue(
                    f"{finding.message} ({finding.object})",
                    finding.rule,
                    fingerprints.unique(finding.fingerprint),
                    _SEVERITIES[finding.severity],
                    *located(told, path, line, finding.object),
                )
            )
    for item in told.broken:
        location = located(told, file_of(item), item.line, item.object)
        issues.append(
            issue(item.reason, "broken-statement", fingerprints.unique(broken_fingerprint(item)), "critical", *location)
        )
    for problem in told.problems:
        step_place = told.place_of_step(problem.step)
        file = step_place.file if step_place else None
        line = step_place.line if step_place else problem.step.line if problem.step else None
        name = (problem.step.function if problem.step else None) or problem.flows[0].flow
        issues.append(
            issue(
                f"{problem_title(problem)}: {problem_message(problem)}",
                f"smoke/{problem.outcome.value}",
                fingerprints.unique(problem_fingerprint(problem)),
                _SEVERITIES[problem.severity],
                *located(told, file, line, name),
            )
        )
    for item in told.not_analysed:
        location = located(told, file_of(item), item.line, item.object)
        fingerprint = fingerprints.unique(broken_fingerprint(item))
        issues.append(issue(f"not analysed: {item.reason}", "not-analysed", fingerprint, "info", *location))
    return json.dumps(issues, indent=2, ensure_ascii=True) + "\n"


def issue(description: str, check: str, fingerprint: str, severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "description": plain(description),
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    }


def located(told: Gathered, file: str | None, line: int | None, name: str) -> tuple[str, int]:
    """A path and a line, which GitLab demands: the file; else the SQL that was looked at; else the object's own name
    below a folder that is none, with the line of its body.
    """
    path = in_repository(file) if file is not None else None
    if path is not None:
        return plain(path), line or 1
    whole = in_repository(told.whole_target or "")
    if whole is not None:
        return plain(whole), 1
    return plain(f"{_DATABASE}/{name}"), line or 1
