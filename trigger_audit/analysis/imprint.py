"""What of a situation a cycle of triggers can look at: where that is the same, the cycle takes the same course."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.conditions import condition_node
from trigger_audit.analysis.expressions import identifier

if TYPE_CHECKING:
    from trigger_audit.analysis.recursion import Leg
    from trigger_audit.analysis.situations import Situation
    from trigger_audit.analysis.state import Row, Term

_NUMBER = re.compile(r"#\d+")
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Sight:
    """The columns that the conditions and writes of a cycle name, and the literals in them."""

    columns: tuple[str, ...]
    literals: frozenset[str]


def sight_of(legs: Sequence[Leg]) -> Sight | None:
    """What a cycle looks at; None where it is a row as a whole, or not known."""
    nodes: list[exp.Expression | None] = []
    columns: set[str] = set()
    literals: set[str] = {"true", "false"}
    for leg in legs:
        if leg.trigger is not None:
            columns.update(leg.trigger.columns)
            literals |= {leg.trigger.name, leg.trigger.timing, leg.trigger.level, *leg.trigger.events}
            if leg.trigger.when is not None:
                nodes.append(condition_node(leg.trigger.when))
        if leg.link is None:
            continue
        nodes += [condition.expression.node for condition in leg.link.statement.conditions]
        nodes.append(leg.link.sql.node)
        table, write = leg.link.table, leg.link.write
        if table is not None:
            literals |= {table.relation, table.schema}
            elsewhere = leg.trigger is not None and leg.trigger.table != table.oid
            if elsewhere or (write is not None and write.conflict is not None):
                # Foreign keys' actions look at what they reference, ON CONFLICT at any key.
                columns.update(name for index in table.indexes if index.unique for name in index.columns if name)
    for node in nodes:
        if node is None:
            return None
        for found in node.find_all(exp.Star, exp.Identifier, exp.Literal, exp.JSONPathKey, exp.JSONPathSubscript):
            if isinstance(found, exp.Star):
                return None
            if isinstance(found, exp.Identifier):
                name = identifier(found)
                if name is None or (name in ("new", "old") and _is_whole(found)):
                    return None
                columns.add(name)
            else:
                literals.add(str(found.this))
    return Sight(tuple(sorted(columns)), frozenset(literals))


def _is_whole(node: exp.Identifier) -> bool:
    """Whether NEW or OLD stands without a field."""
    return isinstance(node.parent, exp.Column) and node.parent.this is node


def imprint(situation: Situation, sight: Sight) -> str:
    """What the cycle sees of a situation. Values of which nothing is known are told by the order that they come in."""
    state = situation.state
    rows = [_row(row, sight.columns) for row in (state.new, state.old, *(entry.row for entry in situation.stored))]
    # A condition that holds another literal than the cycle's own and the rows' is never read in it.
    literals = sight.literals | set(_QUOTED.findall("".join(rows)))
    assumed = sorted(
        f"{symbol}={holds}" for symbol, holds in state.assumed if literals.issuperset(_QUOTED.findall(symbol))
    )
    tables = [(entry.table, id(entry.write)) for entry in situation.stored]
    touched = sorted(state.touched.intersection((*sight.columns, "*")))
    whole = f"{state.event} {state.depth} {touched} {tables} {rows} {assumed}"
    order: dict[str, str] = {}
    return _NUMBER.sub(lambda found: order.setdefault(found[0], f"#{len(order)}"), whole)


def _row(row: Row | None, columns: Iterable[str]) -> str:
    return "-" if row is None else "; ".join(f"{name} {_term(row.term(name))}" for name in columns)


def _term(term: Term) -> str:
    constants = None if term.constants is None else sorted(term.constants)
    members = sorted(map(str, term.members))
    return f"{term.nulls} {constants} {term.symbol} {term.exact} {sorted(term.differs_from)} {term.number} {members}"
