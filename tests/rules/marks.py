"""Expected findings stand as marks on the lines of an SQL case: `-- TA107` at the end of the line.

A case that is to stay quiet says so on its first line, `-- quiet`. A case with neither fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trigger_audit.catalog.model import Catalog
from trigger_audit.findings.model import Finding

_MARK = re.compile(r"--\s*(TA\d{3}(?:\s*,\s*TA\d{3})*)\s*$")


@dataclass(frozen=True, slots=True)
class Marks:
    """`placed` are (line of the case, code); `quiet` that nothing above info may be found."""

    placed: frozenset[tuple[int, str]]
    quiet: bool


def read_marks(sql: str) -> Marks:
    """The marks of a case. Raises ValueError for a case without any."""
    placed = {
        (number, code.strip())
        for number, line in enumerate(sql.split("\n"), start=1)
        if (mark := _MARK.search(line))
        for code in mark[1].split(",")
    }
    quiet = sql.startswith("-- quiet")
    if not placed and not quiet:
        raise ValueError(
            "a case without marks proves nothing: add `-- TA...` on the faulty lines, or `-- quiet` on top"
        )
    return Marks(frozenset(placed), quiet)


def found_at(sql: str, catalog: Catalog, finding: Finding) -> tuple[int, str] | None:
    """Where in the case a finding is: by the body that the case holds; by its mark where no code is at fault."""
    place = finding.place
    if place is not None:
        for function in catalog.functions.values():
            if function.name == place.function and (start := sql.find(function.source)) >= 0:
                return sql.count("\n", 0, start) + place.line, finding.rule
        return None
    for number, line in enumerate(sql.split("\n"), start=1):
        mark = _MARK.search(line)
        if mark and finding.rule in mark[1]:
            return number, finding.rule
    return None
