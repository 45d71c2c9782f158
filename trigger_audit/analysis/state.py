"""What is known when a trigger's condition is read: the rows NEW and OLD as abstract terms, and the TG_ variables.

A term stands for a set of possible values. Two terms with the same symbol are the same value, whatever it is: that is
how `NEW.email IS DISTINCT FROM OLD.email` is known to be false where a statement leaves the column alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from trigger_audit.analysis.expressions import Unreadable, expression_node
from trigger_audit.auth.model import ColumnState, Nullability, RowState

if TYPE_CHECKING:
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Table, Trigger

EVERY_COLUMN = "*"
"""Among touched columns: any column may have been assigned (`NEW := ...`)."""

NEVER_ENDING = 10_000
"""A trigger depth that no guard written by hand allows, far from PostgreSQL's own stack limit."""


@dataclass(frozen=True, slots=True)
class Term:
    """The values that an expression may take.

    `nulls`: it may be NULL. `constants`: its values other than NULL as text (booleans `true` and `false`), None: any.
    `exact`: its type compares texts byte by byte, so that different texts are different values.
    `differs_from`: symbols of values that this one never is. `number`: it is one, not a text that looks like one.
    `members`: keys that a JSON object has, with the text of their values (None: not known, but not NULL).
    """

    nulls: bool
    constants: frozenset[str] | None
    symbol: str | None = None
    exact: bool = False
    differs_from: frozenset[str] = frozenset()
    number: bool = False
    members: frozenset[tuple[str, str | None]] = frozenset()


UNKNOWN = Term(True, None)
NULL = Term(True, frozenset(), "NULL")


def constant(text: str, *, exact: bool = False, number: bool = False) -> Term:
    """The one value that a text stands for."""
    return Term(False, frozenset((text,)), f"'{text}'", exact, number=number)


class Row:
    """NEW, OLD or a written row: terms by column, those that nobody names made when they are asked for.

    A column is looked for in `known`, then in the row `below` it (the row before an UPDATE), then in Auth's row state;
    what remains is any value, under a symbol of its own that begins with `name`.
    """

    __slots__ = ("_base", "_below", "_known", "name", "readings")

    def __init__(
        self, name: str, known: Mapping[str, Term], below: Row | None = None, base: RowState | None = None
    ) -> None:
        self.name = name
        self._known = dict(known)
        self._below = below
        self._base = base
        self.readings: dict[object, tuple[object, frozenset[bool | None]]] = {}
        """What conditions gave that were read of this row, see `conditions.evaluate`."""

    def term(self, column: str) -> Term:
        found = self._known.get(column)
        if found is None:
            if self._below is not None:
                found = self._below.term(column)
            else:
                found = column_term(None if self._base is None else self._base.get(column), f"{self.name}.{column}")
            self._known[column] = found
        return found

    def changed(self, terms: Mapping[str, Term], name: str) -> Row:
        """The same row with some columns replaced."""
        return Row(name, terms, below=self)


@dataclass(frozen=True, slots=True)
class State:
    """What one run of a trigger sees. NEW and OLD are None where they are NULL: the event has no such row, or the
    trigger fires once per statement. `depth` is what pg_trigger_depth() returns.

    `table` and `trigger` are None in a helper: it sees neither rows nor TG_ variables. `event` is '' there.
    `touched` are columns of NEW that a BEFORE trigger or the body itself may have assigned: their value is not known.
    `assumed` are conditions by their symbol that were true, or were not, on the way here: else nobody would be here.
    """

    event: str
    table: Table | None
    trigger: Trigger | None
    depth: int
    new: Row | None
    old: Row | None
    touched: frozenset[str] = frozenset()
    assumed: frozenset[tuple[str, bool]] = frozenset()

    def field(self, record: str, column: str) -> Term:
        """NEW.column or OLD.column."""
        row = self.new if record == "new" else self.old
        if self.trigger is None:
            return UNKNOWN
        if row is None:
            # Since PostgreSQL 11 the record that an event lacks is NULL, and so are its fields.
            return NULL
        if record == "new" and (column in self.touched or EVERY_COLUMN in self.touched):
            return UNKNOWN
        if record == "new" and self.trigger.timing == "BEFORE" and self._is_stored(column):
            # Computed after the BEFORE triggers; PL/pgSQL sets it to NULL for them (plpgsql_exec_trigger).
            return NULL
        return row.term(column)

    def variable(self, name: str) -> Term:
        """One of the TG_ variables; unknown is any other name."""
        if self.trigger is None or self.table is None:
            return UNKNOWN
        match name:
            case "tg_op":
                return constant(self.event, exact=True)
            case "tg_name":
                return constant(self.trigger.name, exact=True)
            case "tg_when":
                return constant(self.trigger.timing, exact=True)
            case "tg_level":
                return constant(self.trigger.level, exact=True)
            case "tg_table_name" | "tg_relname":
                return constant(self.table.relation, exact=True)
            case "tg_table_schema":
                return constant(self.table.schema, exact=True)
        return UNKNOWN

    def _is_stored(self, column: str) -> bool:
        """Whether a column is generated and stored."""
        found = None if self.table is None else self.table.by_name.get(column)
        return found is not None and found.generated == "s"


def column_term(state: ColumnState | None, symbol: str) -> Term:
    """What Auth's knowledge of a column says of its value."""
    if state is None:
        return Term(True, None, symbol)
    if state.nullability is Nullability.ALWAYS:
        return NULL
    nulls = state.nullability is Nullability.SOMETIMES
    text = None if state.value is None else literal_text(state.value)
    if text is None:
        differs_from = frozenset(("''",)) if state.filled else frozenset[str]()
        members = state.members | {(key, None) for key in state.keys - {key for key, _ in state.members}}
        return Term(nulls, None, symbol, differs_from=differs_from, members=members)
    return Term(nulls, frozenset((text,)), symbol if nulls else f"'{text}'")


@cache
def literal_text(sql: str) -> str | None:
    """The value of an SQL literal as text, None where it is more than a literal."""
    from sqlglot import exp

    try:
        node = expression_node(sql)
    except Unreadable:
        return None
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    return None


def firing_rows(firing: Firing, table: Table) -> tuple[Row | None, Row | None]:
    """NEW and OLD of one statement of Auth. In an UPDATE every column outside its SET list is the same in both."""
    old = None if firing.old is None else Row("old", {}, base=firing.old)
    if firing.new is None:
        return None, old
    if old is None:
        return Row("new", {}, base=firing.new), None
    # A generated column follows the columns that it is computed from.
    generated = (column.name for column in table.columns if column.generated)
    written = frozenset((*firing.columns, *generated)) - firing.kept
    known = {name: column_term(firing.new.get(name), f"new.{name}") for name in written}
    for name in firing.changed & known.keys():
        symbol = old.term(name).symbol
        if symbol is not None:
            known[name] = replace(known[name], differs_from=known[name].differs_from | {symbol})
    return Row("new", known, below=old), old
