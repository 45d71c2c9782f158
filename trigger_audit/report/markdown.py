"""Markdown for the comment on a pull request, and for the summary of a job."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Severity
from trigger_audit.report.excerpt import excerpt
from trigger_audit.report.gathered import gathered, is_of_a_file
from trigger_audit.report.markup import code, fenced, html_text, markdown_text
from trigger_audit.report.places import in_repository
from trigger_audit.report.smoke_table import listed
from trigger_audit.report.table import count, counted, not_counted
from trigger_audit.report.words import grouped_changes, problem_facts, problem_message, problem_title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
    from trigger_audit.report.formats import Result
    from trigger_audit.report.gathered import Gathered, Problem

MOST_CHARACTERS = 60_000
"""GitHub takes 65,536 in a comment; what a workflow puts around it needs some of them."""

_WIDTH = 100
# Kept back for the lines that say how much was left out.
_SPARE = 1_000
_LONGEST = 2_000
_MOST_OF_A_TABLE = 30_000


@dataclass(slots=True)
class Page:
    """Parts that are put one after the other as long as they fit."""

    _parts: list[str] = field(default_factory=list)
    _left: int = MOST_CHARACTERS - _SPARE

    def add(self, part: str) -> bool:
        """Whether it fits."""
        if len(part) > self._left:
            return False
        self._left -= len(part)
        self._parts.append(part)
        return True

    def add_all(
        self, head: str, parts: Iterable[str], total: int, noun: str, *, foot: str = "", most: int = MOST_CHARACTERS
    ) -> None:
        """As many parts of `total` as fit between head and foot, and how many do not; without any part nothing at all.

        `most` leaves room for what comes later. Parts that cannot fit any more are not even made.
        """
        if not total:
            return
        fitting = 0
        if self.add(head + foot):
            self._parts[-1] = head
            for part in parts:
                most -= len(part)
                if most < 0 or not self.add(part):
                    break
                fitting += 1
            self._parts.append(foot)
        if fitting < total:
            self._parts.append(f"\n{left_out(total - fitting, noun)}\n")

    def text(self) -> str:
        return "".join(self._parts)


def left_out(number: int, noun: str) -> str:
    return f"_{count(number, noun)} left out here, for want of room: the other formats have them all._"


def comment(result: Result) -> str:
    """At most MOST_CHARACTERS: one summary line, a table of the findings and of the flows that fail, then details."""
    told = gathered(result)
    page = Page()
    page.add(f"### trigger-audit {told.command}: {summary(told)}\n")
    new, broken, problems = told.new, told.broken, told.new_problems
    found = chain(map(finding_row, new), map(broken_row, broken))
    head = headed("New findings" if told.base else "Findings", "", "rule", "where", "what")
    page.add_all(head, found, len(new) + len(broken), "finding", most=_MOST_OF_A_TABLE)
    head = headed("Flows that newly fail" if told.base else "Flows that fail", "", "flows", "where", "what")
    failing = (problem_row(told, problem) for problem in problems)
    page.add_all(head, failing, len(problems), "cause", most=_MOST_OF_A_TABLE // 2)
    if told.not_smoked is not None:
        page.add(f"\n**The flows were not run:** {cut(told.not_smoked)}\n")
    changes = change_rows(told)
    page.add_all(headed("Flows that change", "flows", "before", "after"), changes, len(changes), "change")
    mended = (f"* {where(finding)} {finding.rule}: {cut(finding.message)}\n" for finding in told.mended)
    page.add_all("\n#### Mended\n\n", mended, len(told.mended), "mended finding")
    shut = chain(map(finding_details, new), map(problem_details, problems))
    page.add_all("\n#### Details\n", shut, len(new) + len(problems), "detail")
    unseen = len(told.not_analysed)
    head = f"\n<details><summary>Not analysed: {unseen}</summary>\n\n"
    page.add_all(head, map(not_analysed_line, told.not_analysed), unseen, "item", foot="\n</details>\n")
    page.add_all("\n", (f"* note: {cut(gap)}\n" for gap in told.gaps), len(told.gaps), "note")
    return page.text()


def not_analysed_line(item: NotAnalysed) -> str:
    inside = "" if is_of_a_file(item) else f"{code(item.object)}: "
    return f"* {where_not_analysed(item)} {inside}{cut(item.reason)}\n"


def headed(title: str, *columns: str) -> str:
    """The head of a table."""
    return f"\n#### {title}\n\n{row(*columns)}{'|---' * len(columns)}|\n"


def summary(told: Gathered) -> str:
    """`2 errors, 1 warning; 3 flows fail; compared with main (0123456789ab)`."""
    numbers = {severity: sum(finding.severity is severity for finding in told.new) for severity in Severity}
    parts = []
    if told.command != "smoke":
        parts.append(f"{'new: ' if told.base and told.new else ''}{counted(numbers)}")
        if told.base and not told.new:
            parts[-1] = "no new findings"
        if told.base is None:
            parts[-1] += not_counted(told.findings)
    parts += [count(len(told.broken), "broken statement")] if told.broken else []
    parts += [f"{len(told.mended)} mended"] if told.mended else []
    if told.not_smoked is not None:
        parts.append("flows not run")
    elif told.flows:
        verb = "newly fails or is altered" if told.base else "fails or is altered"
        verbs = "newly fail or are altered" if told.base else "fail or are altered"
        number = len(told.failing)
        none = "no flow newly breaks" if told.base else "no flow breaks"
        parts.append(f"{count(number, 'flow')} {verb if number == 1 else verbs}" if number else none)
    parts += [f"{len(told.not_analysed)} not analysed"] if told.not_analysed else []
    parts += [] if told.rolled_back else ["NOT VERIFIED that nothing is left"]
    parts += [f"compared with {markdown_text(told.base.ref)} ({told.base.commit[:12]})"] if told.base else []
    return "; ".join(parts)


def finding_row(finding: Finding) -> str:
    return row(finding.severity.value, f"{finding.rule}<br>{finding.name}", where(finding), cut(finding.message))


def broken_row(item: NotAnalysed) -> str:
    return row("error", "broken statement", where_not_analysed(item), cut(item.reason))


def problem_row(told: Gathered, problem: Problem) -> str:
    place, step = told.place_of(problem), problem.step
    if place is not None:
        at = code(f"{in_repository(place.file) or place.file}:{place.line}")
    elif step is not None and step.function:
        at = code(f"{step.function}:{step.line}" if step.line else step.function)
    else:
        at = code(step.constraint or "") if step else ""
    kind = problem.severity.value if problem.counts else "latent"
    state = f"{step.sqlstate} " if step and step.sqlstate else ""
    return row(kind, markdown_text(listed(problem.flows)), at, cut(f"{state}{problem_message(problem)}"))


def change_rows(told: Gathered) -> list[str]:
    return [
        row(markdown_text(listed(flows)), markdown_text(before), markdown_text(after))
        for (before, after), flows in grouped_changes(told.changes).items()
    ]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def where(finding: Finding) -> str:
    """`path:line:column`, else the function's line, else the object."""
    place = finding.place
    return in_file(finding.file_place, f"{place.function}:{place.line}" if place else finding.object)


def where_not_analysed(item: NotAnalysed) -> str:
    return in_file(item.file_place, item.object if item.line is None else f"{item.object}:{item.line}")


def in_file(place: FilePlace | None, otherwise: str) -> str:
    """The place from the top of the repository if it is in one."""
    if place is None:
        return code(otherwise)
    return code(str(replace(place, file=in_repository(place.file) or place.file)))


def finding_details(finding: Finding) -> str:
    place = finding.place
    shown = ""
    if place is not None and place.statement:
        end = place.end_column - 1 if place.end_line == place.line else len(place.source_line)
        shown = "\n" + fenced(list(excerpt(place.source_line, place.column - 1, end, _WIDTH))) + "\n"
    inside = f"{place.function} line {place.line}" if place else finding.object
    way = " -> ".join(finding.paths[0].via) if finding.paths else ""
    body = f"In {code(inside)}{f', a way there is {code(way)}' if way else ''}.\n"
    return details(
        f"{finding.rule} {finding.message}",
        f"{body}{shown}\n**Why:** {cut(finding.why)}\n\n**Fix:** {cut(finding.fix)}\n",
    )


def problem_details(problem: Problem) -> str:
    facts = "".join(f"* {markdown_text(label)}: {cut(fact)}\n" for label, fact in problem_facts(problem))
    return details(problem_title(problem), f"**What:** {cut(problem_message(problem))}\n\n{facts}")


def details(title: str, body: str) -> str:
    """A part that is shut. Markdown within HTML needs an empty line before and after it."""
    return f"\n<details><summary>{html_text(title[:_LONGEST])}</summary>\n\n{body}\n</details>\n"


def cut(text: str) -> str:
    """A text of the database may be as long as it likes."""
    return markdown_text(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
