"""Whether a trigger function can end without RETURN, for the events that really fire it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.conditions import condition_node, evaluate
from trigger_audit.analysis.model import Site, StatementFacts
from trigger_audit.analysis.state import Row, State, firing_rows
from trigger_audit.plpgsql.flow import falls_through

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts, Visit
    from trigger_audit.auth.model import Firing
    from trigger_audit.plpgsql.tree import Fragment, Span


def reaches_end(visit: Visit, facts: BodyFacts) -> tuple[Site, Span] | None:
    """The place and the word END where control can come to the end of the body in this visit, else None.

    The site's firings are those in which it happens. PostgreSQL raises 2F005 there, outside every handler.
    """
    body = facts.body
    if body is None or falls_through(body) is None:
        return None
    found: Span | None = None
    firings: list[Firing] = []
    for firing, state in states(visit):

        def decided(condition: Fragment, state: State = state) -> bool | None:
            outcomes = evaluate(condition_node(condition.text), state)
            if outcomes == {True}:
                return True
            return None if True in outcomes else False

        end = falls_through(body, decided)
        if end is not None:
            found = end
            if firing is not None:
                firings.append(firing)
    if found is None:
        return None
    end_of_body = StatementFacts(
        statement=body.block, span=found, sql=(), conditions=(), handlers=(), in_handler=False, loop_depth=0
    )
    return Site(visit=visit, facts=facts, statement=end_of_body, firings=tuple(firings), certain=True), found


def states(visit: Visit) -> Iterator[tuple[Firing | None, State]]:
    """What the trigger sees in each of Auth's statements that fire it, or one state in which the rows are not known."""
    trigger, table, event = visit.trigger, visit.table, visit.event or ""
    direct = table is not None and table.oid == visit.root_table.oid and visit.depth == 0
    if direct and visit.firings and trigger is not None and table is not None:
        for firing in visit.firings:
            new, old = firing_rows(firing, table) if trigger.level == "ROW" else (None, None)
            yield firing, State(event, table, trigger, visit.depth + 1, new, old)
        return
    rows = trigger is not None and trigger.level == "ROW"
    new = Row("new", {}) if rows and event in ("INSERT", "UPDATE") else None
    old = Row("old", {}) if rows and event in ("UPDATE", "DELETE") else None
    state = State(event, table, trigger, visit.depth + 1, new, old)
    started_by: tuple[Firing | None, ...] = visit.firings or (None,)
    for one in started_by:
        yield one, state
