"""Workflow commands of GitHub Actions: an annotation for each finding, broken statement and way in which flows fail.

GitHub shows ten errors, ten warnings and ten notices of a step, and keeps the rest in the log: the worst come first.
The grammar and its escapes are those of the runner: https://docs.github.com/actions, "Workflow commands".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.findings.model import Severity
from trigger_audit.report.gathered import gathered, is_of_a_file
from trigger_audit.report.inert import inert_inside
from trigger_audit.report.places import in_repository
from trigger_audit.report.words import problem_facts, problem_message, problem_title
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
    from trigger_audit.report.formats import Result
    from trigger_audit.report.gathered import Problem

# The checks of GitHub take 255 characters of a title, and 64 KB of a message, which has a dozen lines at most.
_LONGEST_TITLE = 255
_LONGEST_LINE = 2_000
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def workflow_commands(result: Result) -> str:
    """One line each, the worst first. What was not analysed is a notice for each file or object."""
    told = gathered(result)
    found = [(finding.severity, finding_annotation(finding)) for finding in told.new]
    found += [(Severity.ERROR, broken_annotation(item)) for item in told.broken]
    found += [(problem.severity, problem_annotation(problem, told.place_of(problem))) for problem in told.new_problems]
    if told.not_smoked is not None:
        found.append((Severity.ERROR, annotation(Severity.ERROR, "flows not run", [told.not_smoked])))
    found += [(Severity.INFO, open_annotation(item)) for item in told.not_analysed]
    found.sort(key=lambda pair: -pair[0].rank)
    return "".join(f"{line}\n" for _, line in found)


def finding_annotation(finding: Finding) -> str:
    place = finding.place
    inside = f"{place.function} line {place.line}" if place else finding.object
    lines = [f"{finding.message} ({inside})", finding.why, f"Fix: {finding.fix}"]
    return annotation(finding.severity, f"{finding.rule} {finding.name}", lines, finding.file_place)


def problem_annotation(problem: Problem, place: FilePlace | None) -> str:
    lines = [problem_message(problem), *(f"{label}: {fact}" for label, fact in problem_facts(problem))]
    return annotation(problem.severity, problem_title(problem), lines, place)


def broken_annotation(item: NotAnalysed) -> str:
    return annotation(Severity.ERROR, "statement refused", [item.reason], item.file_place)


def open_annotation(item: NotAnalysed) -> str:
    inside = item.object if item.line is None else f"{item.object} line {item.line}"
    told = item.reason if is_of_a_file(item) else f"{inside}: {item.reason}"
    return annotation(Severity.INFO, "not analysed", [told], item.file_place)


def annotation(severity: Severity, title: str, lines: list[str], place: FilePlace | None = None) -> str:
    """`::error file=...,line=...,title=...::text`. Columns only where start and end share a line, as GitHub asks; its
    last column is inside, ours is outside.
    """
    properties: dict[str, str] = {}
    path = in_repository(place.file) if place is not None else None
    if place is not None and path is not None:
        properties |= {"file": shown(path), "line": str(place.line)}
        if place.end_line > place.line:
            properties["endLine"] = str(place.end_line)
        else:
            properties |= {"col": str(place.column), "endColumn": str(max(place.column, place.end_column - 1))}
    properties["title"] = shown(title)[:_LONGEST_TITLE]
    named = ",".join(f"{name}={escaped_property(value)}" for name, value in properties.items())
    text = "\n".join(shown(line)[:_LONGEST_LINE] for line in lines if line)
    return f"::{_COMMANDS[severity]} {named}::{escaped_data(text)}"


def shown(text: str) -> str:
    return inert_inside(plain(text))


def escaped_data(text: str) -> str:
    """The text after the second `::`, which ends with the line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """A property's value, which ends with a comma or at `::`."""
    return escaped_data(text).replace(":", "%3A").replace(",", "%2C")
