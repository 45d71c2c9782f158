"""Three-valued reading of conditions: which of true, false and NULL one may take, given what is known of a run.

The answer may be too wide, never too narrow: what is not understood may be anything. A condition of IF or WHEN holds
only where it is true.
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from trigger_audit.analysis.expressions import Unreadable, expression_node, identifier
from trigger_audit.analysis.reader import Columns, Reader
from trigger_audit.analysis.state import UNKNOWN, State, Term
from trigger_audit.analysis.truth import ANY_TRUTH, Truth

_OF_THE_TRIGGER = frozenset(("tg_name", "tg_when", "tg_level", "tg_argv"))
_MOST_READINGS = 512


def evaluate(node: exp.Expression | None, state: State, columns: Columns | None = None) -> frozenset[Truth]:
    """The outcomes that a condition may have; all three where `node` is None (unread) or not understood."""
    if node is None:
        return ANY_TRUTH
    if columns is not None:
        return Reader(state, columns).truth(_condition(node))
    row = state.new or state.old
    if row is None:
        return Reader(state, None).truth(_condition(node))
    # Thousands of triggers ask the same of the same rows of Auth.
    timing = state.trigger and state.trigger.timing
    table = state.table and state.table.oid
    key = (id(node), state.event, timing, state.depth, state.touched, table, state.old, state.assumed)
    known = row.readings.get(key)
    if known is None:
        outcomes = Reader(state, None).truth(_condition(node))
        if _names_trigger(node):
            return outcomes
        if len(row.readings) >= _MOST_READINGS:
            row.readings.clear()
        # The node is kept, for its id to stay its own.
        known = (node, outcomes)
        row.readings[key] = known
    return known[1]


def _names_trigger(node: exp.Expression) -> bool:
    return any(identifier(column.this) in _OF_THE_TRIGGER for column in node.find_all(exp.Column))


def assumptions(
    node: exp.Expression | None, state: State, holds: bool, columns: Columns | None = None
) -> frozenset[tuple[str, bool]]:
    """What is known once a condition was true, or was not, for `State.assumed`."""
    return frozenset() if node is None else Reader(state, columns).known_once(_condition(node), holds)


def term(node: exp.Expression | None, state: State, columns: Columns | None = None) -> Term:
    """What is known of an expression's value."""
    return UNKNOWN if node is None else Reader(state, columns).term(_condition(node))


@lru_cache(maxsize=4096)
def condition_node(text: str) -> exp.Expression | None:
    """The node of a condition's text (a trigger's WHEN as pg_get_expr prints it), None where it cannot be read."""
    try:
        return expression_node(text)
    except Unreadable:
        return None


def _condition(node: exp.Expression) -> exp.Expression:
    """PL/pgSQL's `expression` is a SELECT of one item."""
    if isinstance(node, exp.Select) and len(node.expressions) == 1:
        rest = {key for key, value in node.args.items() if value and key not in ("expressions", "kind")}
        if not rest:
            inner: exp.Expression = node.expressions[0]
            return inner
    return node
