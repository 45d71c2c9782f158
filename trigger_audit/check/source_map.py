"""From a place in the database to the place in the files that says so.

Places in a function are counted in its body (pg_proc.prosrc), where PostgreSQL begins with line 1 in the line of
`AS $$`. They are carried over to the constant of the statement that holds the very same text. Where no constant does (a
function that a DO block builds, a body after BEGIN ATOMIC, which the server keeps as a tree) the statement stands for
all that is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trigger_audit.check.constraints import part_of
from trigger_audit.findings.model import FilePlace
from trigger_audit.plpgsql.source import Source
from trigger_audit.sandbox.literals import literals

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding, Place
    from trigger_audit.sandbox.definitions import Definition
    from trigger_audit.smoke.model import FailedStep

# One name may be a trigger's and a constraint's of the same table: the first is meant.
_KINDS = ("function", "trigger", "constraint", "policy", "table")


class SourceMap:
    """Of one loading. Names are the catalog's, as findings and flows hold them; None is for what no file defines."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._by_kind: dict[str, dict[str, Definition]] = {kind: {} for kind in _KINDS}
        for each in definitions:
            self._by_kind[each.kind][each.name] = each
        self._bodies: dict[str, _Body | None] = {}

    def of_place(self, place: Place) -> FilePlace | None:
        """Where a piece of a function's body is written; the statement where the function as a whole is meant."""
        if (place.line, place.column) == (1, 1) == (place.end_line, place.end_column):
            return self.of_object(place.function)
        return self._between(place.function, (place.line, place.column), (place.end_line, place.end_column))

    def of_line(self, function: str, line: int | None) -> FilePlace | None:
        """Where a line of a function's body is written, without its indentation; the whole statement for None."""
        body = self._body(function)
        text = None if body is None or line is None else body.line(line)
        if text is None or line is None:
            return self.of_object(function)
        start = len(text) - len(text.lstrip()) + 1
        return self._between(function, (line, start), (line, max(start, len(text.rstrip()) + 1)))

    def of_finding(self, finding: Finding) -> FilePlace | None:
        """Where what is at fault is written: a place in a body, else the statement that defined the object."""
        return self.of_object(finding.object) if finding.place is None else self.of_place(finding.place)

    def of_step(self, step: FailedStep) -> FilePlace | None:
        """Where what made a flow fail is written: the function's line, else the constraint that the server names."""
        if step.function is not None:
            return self.of_line(step.function, step.line)
        if step.schema is None or step.table is None or step.constraint is None:
            return None
        return self.of_object(f"{step.schema}.{step.table}.{step.constraint}")

    def of_object(self, name: str) -> FilePlace | None:
        """The statement that defined a function, trigger, policy or table; of a constraint its part that says it."""
        for kind in _KINDS:
            if (found := self._by_kind[kind].get(name)) is not None:
                part = part_of(found) if found.kind == "constraint" else None
                return _file_place(found, *(part or (0, len(found.statement))))
        return None

    def _between(self, function: str, start: tuple[int, int], end: tuple[int, int]) -> FilePlace | None:
        body = self._body(function)
        first, last = (None, None) if body is None else (body.offset(*start), body.offset(*end))
        if body is None or first is None or last is None:
            return self.of_object(function)
        return _file_place(self._by_kind["function"][function], first, last)

    def _body(self, function: str) -> _Body | None:
        if function not in self._bodies:
            definition = self._by_kind["function"].get(function)
            self._bodies[function] = None if definition is None else _body_of(definition)
        return self._bodies[function]


class _Body:
    """A function's text with the place of each of its characters in the statement."""

    def __init__(self, text: str, offsets: Sequence[int]) -> None:
        self._source = Source(text)
        self._offsets = offsets

    def line(self, number: int) -> str | None:
        return self._source.line(number) if 0 < number <= self._source.lines else None

    def offset(self, line: int, column: int) -> int | None:
        """In characters of the statement; None where the body has no such line. What is past the body is its end."""
        if not 0 < line <= self._source.lines:
            return None
        return self._offsets[min(self._source.offset(line, column), len(self._offsets) - 1)]


def _body_of(definition: Definition) -> _Body | None:
    if not definition.source:
        return None
    same = [each for each in literals(definition.statement) if each.value == definition.source]
    after_as = [each for each in same if each.introduced == "as"]
    return next((_Body(each.value, each.offsets) for each in (*after_as, *same)), None)


def _file_place(definition: Definition, start: int, end: int) -> FilePlace:
    return FilePlace(definition.file, *_position(definition, start), *_position(definition, end))


def _position(definition: Definition, offset: int) -> tuple[int, int]:
    breaks = definition.statement.count("\n", 0, offset)
    if not breaks:
        return definition.line, definition.column + offset
    return definition.line + breaks, offset - definition.statement.rfind("\n", 0, offset)
