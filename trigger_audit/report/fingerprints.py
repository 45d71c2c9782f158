"""What makes two results the same to programs that follow them from run to run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.findings.fingerprint import digest

if TYPE_CHECKING:
    from trigger_audit.findings.model import NotAnalysed
    from trigger_audit.report.gathered import Problem


@dataclass(slots=True)
class Fingerprints:
    """The same fault may be in the same statement twice: those after the first one get a number, in their order."""

    _seen: Counter[str] = field(default_factory=Counter)

    def unique(self, fingerprint: str) -> str:
        self._seen[fingerprint] += 1
        number = self._seen[fingerprint]
        return fingerprint if number == 1 else digest(fingerprint, str(number))


def problem_fingerprint(problem: Problem) -> str:
    """Of what fails and how: never of line, message or flows, which come and go with other changes."""
    step, first = problem.step, problem.flows[0]
    if step is not None:
        place = step.function or step.constraint or step.statement
        return digest("smoke", problem.outcome.value, step.sqlstate or "", place, step.constraint or "")
    changed = [change.what for change in first.changes]
    changed += [f"{got.table}.{got.column}" for got in first.escalations]
    return digest("smoke", problem.outcome.value, first.flow, *changed)


def broken_fingerprint(item: NotAnalysed) -> str:
    """Of a statement that was not applied, or something else that was not looked at."""
    return digest("not analysed", item.object, item.reason)
