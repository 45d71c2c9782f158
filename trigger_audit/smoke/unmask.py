"""Makes exception handlers let errors through, to see which errors they hide.

`RAISE;` is put first into a handler, on the line that is there, so that line numbers stay. Left alone are handlers that
are part of how the function works: narrow ones (the author expects that condition), those that raise again, stand in a
loop (a retry), or write what is meant instead: to the table that failed, to NEW, or to a variable that is used later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from trigger_audit.plpgsql import tree
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts
    from trigger_audit.catalog.model import Function
    from trigger_audit.smoke.context import Frame
    from trigger_audit.smoke.session import Session

_HARMLESS = (tree.Null, tree.GetDiagnostics, tree.Perform, tree.If, tree.Case, tree.Block)
_PLAIN_RESULT = re.compile(r"\s*(?:new|old|null)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mask:
    """A handler that hides errors: its function and its line, the lines that it protects, and where `RAISE;` goes."""

    function: Function
    line: int
    first_line: int
    last_line: int
    offset: int

    def hides(self, frame: Frame) -> bool:
        """Whether an error with this frame in its CONTEXT went through the handler's block."""
        named = frame.may_be(self.function.schema, self.function.proname)
        return named and frame.line is not None and self.first_line <= frame.line <= self.last_line


def masks(bodies: Iterable[BodyFacts]) -> tuple[Mask, ...]:
    """The handlers of the bodies that may be made to let errors through."""
    return tuple(mask for facts in bodies if facts.body is not None for mask in _masks(facts, facts.body))


def _masks(facts: BodyFacts, body: tree.Body) -> Iterator[Mask]:
    for block, in_loop in _blocks(body.block, in_loop=False):
        if in_loop:
            continue
        for handler in block.handlers:
            if "others" in handler.conditions and _only_hides(facts, body, block, handler):
                place = body.source.place
                offset = handler.body[0].span.start if handler.body else handler.span.end
                yield Mask(
                    facts.function,
                    place(handler.span.start)[0],
                    place(block.span.start)[0],
                    place(block.handlers[0].span.start)[0],
                    offset,
                )


def _blocks(statement: tree.Statement, *, in_loop: bool) -> Iterator[tuple[tree.Block, bool]]:
    if isinstance(statement, tree.Block):
        yield statement, in_loop
    inside = in_loop or isinstance(statement, tree.AnyLoop)
    for group in tree.substatements(statement):
        for inner in group:
            yield from _blocks(inner, in_loop=inside)


def _only_hides(facts: BodyFacts, body: tree.Body, block: tree.Block, handler: tree.Handler) -> bool:
    protected = {
        (write.target.schema, write.target.name)
        for statement in facts.statements
        if block.span.start <= statement.span.start < handler.span.start
        for write in statement.writes
    }
    written = [
        write
        for statement in facts.statements
        if handler.span.start <= statement.span.start < handler.span.end
        for write in statement.writes
    ]
    if any(write.kind != "INSERT" or (write.target.schema, write.target.name) in protected for write in written):
        return False
    return all(_is_harmless(statement, body, handler) for outer in handler.body for statement in tree.walk(outer))


def _is_harmless(statement: tree.Statement, body: tree.Body, handler: tree.Handler) -> bool:
    match statement:
        case tree.Raise():
            return statement.level != "exception"
        case tree.Return():
            return statement.value is None or _PLAIN_RESULT.fullmatch(statement.value.text) is not None
        case tree.Assign():
            return not _is_used_elsewhere(statement.target, body, handler)
        case tree.Sql():
            return not statement.into and statement.sql.text.lstrip()[:6].lower() == "insert"
        case _:
            return isinstance(statement, _HARMLESS)


def _is_used_elsewhere(target: str, body: tree.Body, handler: tree.Handler) -> bool:
    """Whether a variable that the handler sets is named outside it, its declaration aside."""
    name = re.split(r"[.\[]", target, maxsplit=1)[0].strip()
    text = body.source.text
    # The declarations stand before the first BEGIN's first statement.
    start = body.block.body[0].span.start if body.block.body else 0
    outside = text[start : handler.span.start] + text[handler.span.end :]
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    return name.lower() == "new" or word.search(outside) is not None


def unmasked(source: str, offsets: Iterable[int]) -> str:
    """The body with `RAISE;` at each offset."""
    for offset in sorted(offsets, reverse=True):
        source = f"{source[:offset]} RAISE; {source[offset:]}"
    return source


@dataclass(frozen=True, slots=True)
class Definition:
    """CREATE OR REPLACE FUNCTION as pg_get_functiondef writes it, and where in it the body begins.

    `owner` is the role to replace it as, None for the outer one.
    """

    text: str
    start: int
    source: str
    owner: str | None

    def without(self, masks: Iterable[Mask]) -> str:
        """The statement that replaces the function by itself without these masks."""
        body = unmasked(self.source, (mask.offset for mask in masks))
        return self.text[: self.start] + body + self.text[self.start + len(self.source) :]


def definitions(session: Session, functions: Iterable[int]) -> dict[int, Definition]:
    """By oid, of those functions that the outer role may replace or, for a superuser's login, their owners."""
    parameters = {"functions": sorted(functions), "as_owners": session.owners.needed}
    with session.connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(read_sql("smoke/definitions.sql"), parameters).fetchall()
    return {
        row["function"]: Definition(
            row["definition"], row["definition"].rindex(row["source"]), row["source"], row["owner"]
        )
        for row in rows
    }
