"""Which line PostgreSQL names in an error's CONTEXT for a place in a body: that of the statement around it.

PL/pgSQL counts a statement at its first word (an ELSIF's condition at its IF, a loop after its label), and a variable's
default at its declaration. A function in SQL has no lines: there the statements are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.lexer import tokenise

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts

_Listed = tree.Statement | tree.AnyDeclaration


@dataclass(frozen=True, slots=True)
class Spot:
    """The line of a PL/pgSQL statement, or the number of an SQL function's statement, both from 1; the other is None.

    Both are None where no statement stands: PostgreSQL names no line at the end of a function.
    """

    line: int | None = None
    statement: int | None = None


class ReportedPlaces:
    """The bodies of functions, by signature (schema.name(argument types))."""

    def __init__(self, bodies: Iterable[BodyFacts]) -> None:
        known = {facts.function.name: facts for facts in bodies}
        self._signatures = frozenset(known)
        self._bodies = {name: facts for name, facts in known.items() if facts.body is not None}

    def names(self, reported: str, signature: str) -> bool:
        """Whether a function as an error's CONTEXT writes it is certainly the one with this signature.

        PostgreSQL leaves the schema out where the function's own search_path covers it: then no other may fit.
        """
        if reported == signature:
            return True
        fitting = {name for name in (*self._signatures, signature) if name.partition(".")[2] == reported}
        return fitting == {signature}

    def spot(self, function: str, line: int, column: int) -> Spot | None:
        """Where an error at this place is reported; None where the function's body is not known."""
        facts = self._bodies.get(function)
        if facts is None or facts.body is None:
            return None
        source, block = facts.body.source, facts.body.block
        around = [item for item in _listed(block) if _covers(source, item.span, line, column)]
        if not around:
            return Spot()
        if facts.function.language == "sql":
            return Spot(statement=1 + block.body.index(around[-1])) if around[-1] in block.body else Spot()
        if isinstance(around[-1], tree.Block):
            return Spot()
        return Spot(source.place(_first_word(source, around[-1].span))[0])

    def hidden_by(self, function: str, line: int) -> frozenset[int]:
        """The lines of the handlers for OTHERS of the innermost block that has one around this line."""
        facts = self._bodies.get(function)
        found: frozenset[int] = frozenset()
        if facts is None or facts.body is None:
            return found
        place = facts.body.source.place
        for block in tree.walk(facts.body.block):
            if not isinstance(block, tree.Block) or not block.handlers:
                continue
            catching = frozenset(place(h.span.start)[0] for h in block.handlers if "others" in h.conditions)
            if catching and place(block.span.start)[0] <= line <= place(block.handlers[0].span.start)[0]:
                found = catching
        return found


def _listed(block: tree.Block) -> Iterator[_Listed]:
    """Statements and declarations, what stands inside after what stands around it."""
    for statement in tree.walk(block):
        yield statement
        if isinstance(statement, tree.Block):
            yield from statement.declarations


def _covers(source: tree.Source, span: tree.Span, line: int, column: int) -> bool:
    return source.place(span.start) <= (line, column) < source.place(span.end)


def _first_word(source: tree.Source, span: tree.Span) -> int:
    """The statement's start without its <<label>>."""
    if not source.text.startswith("<<", span.start):
        return span.start
    tokens, _ = tokenise(source.slice(span))
    closing = next((at for at, token in enumerate(tokens) if token.word == ">>"), None)
    return span.start if closing is None else span.start + tokens[closing + 1].start
