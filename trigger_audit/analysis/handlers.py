"""Which exception handler catches a failure: PostgreSQL's own rules about condition names."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigger_audit.analysis.model import Site, Visit

# WHEN OTHERS catches neither a cancelled query nor a failed ASSERT (exception_matches_conditions in pl_exec.c).
NEVER_CAUGHT_BY_OTHERS = frozenset({"57014", "P0004"})

_BETWEEN_HANDLERS = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@cache
def condition_states() -> dict[str, str]:
    """SQLSTATE by PL/pgSQL condition name (`unique_violation` -> 23505), as psycopg lists them."""
    from psycopg import errors

    states: dict[str, str] = {}
    for name, value in vars(errors).items():
        sqlstate = getattr(value, "sqlstate", None)
        if isinstance(sqlstate, str):
            states[re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()] = sqlstate
    return states


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


def raises_again(body: tuple[tree.Statement, ...]) -> bool:
    """Whether a handler's statements always end in an exception: a bare RAISE or RAISE EXCEPTION at their top level."""
    return any(isinstance(statement, tree.Raise) and statement.level == "exception" for statement in body)


def same_block(text: str, first: tree.Handler, second: tree.Handler) -> bool:
    """Whether two handlers stand in one EXCEPTION section: nothing but space and comments lies between them."""
    between = text[first.span.end : second.span.start]
    return _BETWEEN_HANDLERS.fullmatch(between) is not None


def catching_line(site: Site, sqlstate: str, *, callers_only: bool = False) -> int | None:
    """The line of the handler that hides a failure of this statement, in its own function or in a caller's.

    A handler that raises again hides nothing; the error goes on outwards, past the other handlers of the same block.
    """
    body = site.facts.body
    raised_by: tree.Handler | None = None
    if body is not None and not callers_only:
        for handler in site.statement.handlers:
            if raised_by is not None and same_block(body.source.text, raised_by, handler):
                continue
            if not catches(handler.conditions, sqlstate):
                continue
            if raises_again(handler.body):
                raised_by = handler
                continue
            return body.source.place(handler.span.start)[0]
    return caught_outside(site.visit, sqlstate)


def caught_outside(visit: Visit, sqlstate: str) -> int | None:
    """The line of the handler in a calling function that hides a failure of this one, or None."""
    for caught in visit.caught:
        if catches(caught.conditions, sqlstate):
            return caught.line
    return None
