"""Makes exception handlers let errors through, to see which errors they hide.

`RAISE;` is put first into a handler, on the line that is there, so that line numbers stay. Left alone are handlers that
are part of how the function works: those that raise again, stand in a loop (a retry), in a function that is called in
one, or write what is meant instead: to the table that failed, to NEW, to a variable that is used later, or as the
result that a caller gets. Handlers of named conditions also where the block only works a value out, which then keeps
what it had (a guarded cast). And a handler lets pass what PostgreSQL itself has an idiom for: `WHEN unique_violation
THEN NULL` is ON CONFLICT DO NOTHING, `WHEN duplicate_table THEN NULL` is IF NOT EXISTS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from trigger_audit.analysis.handlers import catches
from trigger_audit.plpgsql import tree
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts
    from trigger_audit.catalog.model import Function
    from trigger_audit.smoke.context import Frame
    from trigger_audit.smoke.session import Session

_HARMLESS = (tree.Null, tree.GetDiagnostics, tree.Perform, tree.If, tree.Case, tree.Block)
_PLAIN_RESULT = re.compile(r"\s*(?:new|old|null)?\s*", re.IGNORECASE)
# ON CONFLICT DO NOTHING, IF NOT EXISTS, and SKIP LOCKED in other words.
_IDIOMS = {
    "23505": "unique_violation",
    "23P01": "exclusion_violation",
    "42P06": "duplicate_schema",
    "42P07": "duplicate_table",
    "42701": "duplicate_column",
    "42710": "duplicate_object",
    "42723": "duplicate_function",
    "55P03": "lock_not_available",
}
_IDIOMATIC = frozenset({*_IDIOMS.values(), *(f"sqlstate {state.lower()}" for state in _IDIOMS)})


@dataclass(frozen=True, slots=True)
class Mask:
    """A handler that hides errors: its function and its line, the lines that it protects, and where `RAISE;` goes.

    `conditions` as in `tree.Handler`.
    """

    function: Function
    line: int
    first_line: int
    last_line: int
    offset: int
    conditions: tuple[str, ...]

    @property
    def opening(self) -> str:
        if "others" in self.conditions:
            return "RAISE;"
        states = ", ".join(f"'{state}'" for state in _IDIOMS)
        return f"IF SQLSTATE NOT IN ({states}) THEN RAISE; END IF;"

    def hides(self, frame: Frame, sqlstate: str) -> bool:
        """Whether an error with this frame in its CONTEXT went through the block, and this handler takes it."""
        named = frame.may_be(self.function.schema, self.function.proname)
        inside = frame.line is not None and self.first_line <= frame.line <= self.last_line
        return named and inside and catches(self.conditions, sqlstate)


def masks(bodies: Iterable[BodyFacts]) -> tuple[Mask, ...]:
    """The handlers of the bodies that may be made to let errors through."""
    read = tuple(bodies)
    repeated = _called_in_loops(read)
    return tuple(
        mask
        for facts in read
        if facts.body is not None
        for mask in _masks(facts, facts.body, in_loop=facts.function.oid in repeated)
    )


def _called_in_loops(bodies: tuple[BodyFacts, ...]) -> set[int]:
    """The functions (oids) that a loop of another one calls, by name, and what they call in turn."""
    found: set[int] = set()
    while True:
        called = {
            (call.schema, call.name)
            for facts in bodies
            for statement in facts.statements
            if statement.loop_depth or facts.function.oid in found
            for sql in statement.sql
            for call in sql.calls
        }
        functions = {
            facts.function.oid
            for facts in bodies
            if {(None, facts.function.proname), (facts.function.schema, facts.function.proname)} & called
        }
        if functions <= found:
            return found
        found |= functions


def _masks(facts: BodyFacts, body: tree.Body, *, in_loop: bool) -> Iterator[Mask]:
    for block, repeated in _blocks(body.block, in_loop=in_loop):
        if repeated:
            continue
        for handler in block.handlers:
            narrow = "others" not in handler.conditions
            if narrow and (_IDIOMATIC.issuperset(handler.conditions) or _only_works_out(body, block)):
                continue
            if _only_hides(facts, body, block, handler):
                place = body.source.place
                offset = handler.body[0].span.start if handler.body else handler.span.end
                yield Mask(
                    facts.function,
                    place(handler.span.start)[0],
                    place(block.span.start)[0],
                    place(block.handlers[0].span.start)[0],
                    offset,
                    handler.conditions,
                )


def _only_works_out(body: tree.Body, block: tree.Block) -> bool:
    """Whether a block does nothing but give values to variables that are named outside it."""
    targets = []
    for inner in (inner for statement in block.body for inner in tree.walk(statement)):
        match inner:
            case tree.Assign():
                targets.append(inner.target)
            case tree.Sql() if inner.into and inner.sql.text.lstrip()[:6].lower() == "select":
                targets += inner.into
            case tree.If() | tree.Case() | tree.Block() | tree.Null():
                pass
            case _:
                return False
    return any(_is_named_outside(target, body, block.span) for target in targets)


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
    return all(
        _is_harmless(statement, facts, body, handler) for outer in handler.body for statement in tree.walk(outer)
    )


def _is_harmless(statement: tree.Statement, facts: BodyFacts, body: tree.Body, handler: tree.Handler) -> bool:
    match statement:
        case tree.Raise():
            return statement.level != "exception"
        case tree.Return():
            if statement.value is None:
                return True
            # What another function returns is what its caller goes on with.
            return facts.function.returns_trigger and _PLAIN_RESULT.fullmatch(statement.value.text) is not None
        case tree.Assign():
            return not _is_named_outside(statement.target, body, handler.span)
        case tree.Sql():
            return not statement.into and statement.sql.text.lstrip()[:6].lower() == "insert"
        case _:
            return isinstance(statement, _HARMLESS)


def _is_named_outside(target: str, body: tree.Body, inside: tree.Span) -> bool:
    """Whether a variable that is set in there is named outside it too, its declaration aside."""
    name = re.split(r"[.\[]", target, maxsplit=1)[0].strip()
    text = body.source.text
    # The declarations stand before the first BEGIN's first statement.
    start = min(body.block.body[0].span.start if body.block.body else 0, inside.start)
    outside = text[start : inside.start] + text[inside.end :]
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    return name.lower() == "new" or word.search(outside) is not None


def unmasked(source: str, masks: Iterable[Mask]) -> str:
    """The body with each handler open."""
    for mask in sorted(masks, key=lambda mask: mask.offset, reverse=True):
        source = f"{source[: mask.offset]} {mask.opening} {source[mask.offset :]}"
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
        body = unmasked(self.source, masks)
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
