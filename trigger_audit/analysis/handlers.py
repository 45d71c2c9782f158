"""Which exception handler catches a failure: PostgreSQL's own rules about condition names."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from trigger_audit.analysis.handling import escapes
from trigger_audit.analysis.model import Caught
from trigger_audit.plpgsql.conditions import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trigger_audit.analysis.model import BodyFacts, Site, StatementFacts, Visit
    from trigger_audit.plpgsql import tree

# WHEN OTHERS catches neither a cancelled query nor a failed ASSERT (exception_matches_conditions in pl_exec.c).
NEVER_CAUGHT_BY_OTHERS = frozenset({"57014", "P0004"})

_BETWEEN_HANDLERS = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@cache
def condition_states() -> dict[str, str]:
    """SQLSTATE by PL/pgSQL condition name (`unique_violation` -> 23505); of several the first."""
    return {name: states[0] for name, states in CONDITIONS.items()}


def catches(conditions: Sequence[str], sqlstate: str) -> bool:
    """Whether one of a handler's conditions matches; a class code (xx000) matches its whole class."""
    for condition in conditions:
        if condition == "others":
            if sqlstate not in NEVER_CAUGHT_BY_OTHERS:
                return True
            continue
        if condition.startswith("sqlstate "):
            wanted: str | None = condition.removeprefix("sqlstate ").strip().strip("'").upper()
        else:
            wanted = condition_states().get(condition)
        if wanted is None:
            continue
        if wanted == sqlstate or (wanted.endswith("000") and wanted[:2] == sqlstate[:2]):
            return True
    return False


def handlers_of(facts: BodyFacts, statement: StatementFacts) -> tuple[Caught, ...]:
    """The handlers of the function itself around a statement, innermost first."""
    if facts.body is None:
        return ()
    name, source = facts.function.name, facts.body.source
    return tuple(
        Caught(name, source.place(found.span.start)[0], found.conditions, block, must_return(facts, found), found)
        for found, block in in_blocks(source.text, statement.handlers)
    )


def in_blocks(text: str, handlers: Sequence[tree.Handler]) -> Iterator[tuple[tree.Handler, int]]:
    """Handlers around a statement, each with its block's number: where the first handler of that block begins.

    Of one block's handlers the first that matches runs, and the others catch nothing that it raises. They stand in one
    EXCEPTION section where nothing but space and comments lies between them.
    """
    last: tree.Handler | None = None
    block = 0
    for handler in handlers:
        if last is None or _BETWEEN_HANDLERS.fullmatch(text[last.span.end : handler.span.start]) is None:
            block = handler.span.start
        yield handler, block
        last = handler


def must_return(facts: BodyFacts, handler: tree.Handler) -> bool:
    """Whether the handler is the last thing that a trigger function runs: one without RETURN ends in 2F005 then."""
    if facts.body is None or not facts.function.returns_trigger:
        return False
    return any(own.span == handler.span for own in facts.body.block.handlers)


def catching_line(site: Site, sqlstate: str, *, callers_only: bool = False) -> int | None:
    """The line of the handler that hides a failure of this statement, in its own function or in a caller's.

    A handler that raises again hides nothing; the error goes on outwards, past the other handlers of the same block.
    """
    found = catcher(site, sqlstate, callers_only=callers_only)
    if found is None or isinstance(found, Caught):
        return None if found is None else found.line
    assert site.facts.body is not None
    return site.facts.body.source.place(found.span.start)[0]


def catcher(site: Site, sqlstate: str, *, callers_only: bool = False) -> tree.Handler | Caught | None:
    """The handler that keeps a failure of this statement from Auth: one of its own function, else one of a caller's."""
    if site.facts.body is not None and not callers_only:
        passed: int | None = None
        for handler, block in in_blocks(site.facts.body.source.text, site.statement.handlers):
            if block == passed or not catches(handler.conditions, sqlstate):
                continue
            if not escapes(handler.body, sqlstate, must_return=must_return(site.facts, handler)):
                return handler
            passed = block
    return caught_by(site.visit, sqlstate)


def caught_by(visit: Visit, sqlstate: str) -> Caught | None:
    """The handler around a call or write on the way here that keeps a failure of this function from Auth, or None."""
    passed: tuple[str, int] | None = None
    for caught in visit.caught:
        block = (caught.function, caught.block)
        if block == passed or not catches(caught.conditions, sqlstate):
            continue
        if not escapes(caught.handler.body, sqlstate, must_return=caught.must_return):
            return caught
        passed = block
    return None


def caught_outside(visit: Visit, sqlstate: str) -> int | None:
    """The line of the handler in a calling function that hides a failure of this one, or None."""
    caught = caught_by(visit, sqlstate)
    return None if caught is None else caught.line
