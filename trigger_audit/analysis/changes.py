"""What a write does to the rows of a table, as the triggers of that table will see it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.conditions import assumptions, evaluate, term
from trigger_audit.analysis.expressions import identifier, statement_node
from trigger_audit.analysis.reader import Columns
from trigger_audit.analysis.state import NULL, UNKNOWN, Row, State, Term
from trigger_audit.auth.model import ColumnState, Nullability, Origin

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Assignment, SqlFacts, Write
    from trigger_audit.catalog.model import Table

_SURE = frozenset((True,))
# Two rows or values of which nothing is known are two, also when the same statement is looked at again.
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A row that stands in a table while a trigger runs, and the write that made it so (None: one outside)."""

    table: int
    row: Row
    write: Write | None


@dataclass(frozen=True, slots=True)
class Change:
    """One event on the rows of a table.

    `columns` are those of UPDATE's SET list, None: not known. `sure`: at least one row is met whatever the data.
    `rows` is false where none can be met: triggers
    for each statement fire even so. `timings` are those of the triggers that this change concerns.
    `assumed` is what WHERE says of the row, see `State`.
    `owner` runs the BEFORE triggers of a foreign key's action, '' for a write of the body itself.
    """

    table: Table
    event: str
    columns: frozenset[str] | None
    new: Row | None
    old: Row | None
    sure: bool
    write: Write | None = None
    rows: bool = True
    timings: tuple[str, ...] = ("BEFORE", "AFTER", "INSTEAD OF")
    owner: str = ""
    assumed: frozenset[tuple[str, bool]] = frozenset()


def fresh_row(table: Table, name: str, known: dict[str, Term] | None = None) -> Row:
    """Any row of a table: its NOT NULL columns are not NULL."""
    base = {
        column.name: ColumnState(Nullability.NEVER if column.not_null else Nullability.SOMETIMES, Origin.GENERATED)
        for column in table.columns
    }
    return Row(f"{name}#{next(_numbers)}", known or {}, base=base)


def changes(write: Write, facts: SqlFacts, table: Table, state: State, stored: tuple[Stored, ...]) -> Iterator[Change]:
    """The events of one write in one state. A change that cannot meet a row is left out."""
    match write.kind:
        case "INSERT":
            yield from _insert(write, facts, table, state, stored)
        case "UPDATE":
            yield from _update(write, table, state, stored)
        case "DELETE":
            met = _met(write.where, table, write, state, stored)
            yield Change(table, "DELETE", None, None, met.row, met.sure, write, met.possible, assumed=met.assumed)
        case "TRUNCATE":
            yield Change(table, "TRUNCATE", None, None, None, True, write)
        case "MERGE":
            name = f"merge@{write.span.start}"
            yield Change(table, "INSERT", None, Row(f"{name}#{next(_numbers)}", {}), None, False, write)
            old = fresh_row(table, name)
            new = fresh_row(table, f"{name}'")
            yield Change(table, "UPDATE", None, new, old, False, write)
            yield Change(table, "DELETE", None, None, old, False, write)


def bound(table: Table, write: Write | None, row: Row, inserted: Row | None = None) -> Columns:
    """Columns of the written table, bare or under its name or alias, as those of one row; `excluded` is `inserted`."""
    names = {table.relation} if write is None or write.target.alias is None else {write.target.alias}

    def find(column: exp.Column) -> Term | None:
        qualifier = identifier(column.args.get("table"))
        name = identifier(column.this)
        if inserted is not None and qualifier == "excluded":
            return None if name is None else inserted.term(name)
        if name is None or (qualifier is not None and qualifier not in names) or name not in table.by_name:
            return None
        return row.term(name)

    return find


@dataclass(frozen=True, slots=True)
class _Met:
    row: Row
    sure: bool
    possible: bool = True
    assumed: frozenset[tuple[str, bool]] = frozenset()


def _conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Paren):
        yield from _conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def keys(table: Table) -> frozenset[str]:
    """Columns that identify a row alone."""
    return frozenset(
        index.columns[0]
        for index in table.indexes
        if index.unique and index.valid and index.predicate is None and len(index.columns) == 1 and index.columns[0]
    )


def _pinned(where: exp.Expression, table: Table, write: Write, state: State) -> dict[str, tuple[exp.Expression, Term]]:
    """Columns that WHERE holds equal to something known under a name, with the conjunct."""
    any_row = fresh_row(table, "any")
    columns = bound(table, write, any_row)
    found: dict[str, tuple[exp.Expression, Term]] = {}
    for conjunct in _conjuncts(where):
        if not isinstance(conjunct, exp.EQ):
            continue
        for side, other in ((conjunct.this, conjunct.expression), (conjunct.expression, conjunct.this)):
            if isinstance(side, exp.Column) and columns(side) is not None:
                name = identifier(side.this)
                value = term(other, state, columns)
                if name is not None and value.symbol is not None and not value.symbol.startswith("any#"):
                    found.setdefault(name, (conjunct, value))
    return found


def _met(where_expression: object, table: Table, write: Write, state: State, stored: tuple[Stored, ...]) -> _Met:
    """The row that an UPDATE or DELETE meets: a row that a trigger is running for where it can be told, else any row.

    Not possible where it meets no row: `WHERE id = NEW.id AND x IS DISTINCT FROM v` after x has become v.
    """
    where: exp.Expression | None = getattr(where_expression, "node", None)
    name = f"row@{table.oid}.{write.span.start}"
    known = [entry for entry in reversed(stored) if entry.table == table.oid]
    if where_expression is None:
        return _Met(known[0].row if known else fresh_row(table, name), bool(known))
    if where is None:
        return _Met(fresh_row(table, name), False)
    pinned = _pinned(where, table, write, state)
    pinned_keys = keys(table) & pinned.keys()
    for entry in known:
        columns = bound(table, write, entry.row)
        outcomes = evaluate(where, state, columns)
        by_key = any(evaluate(pinned[key][0], state, columns) == _SURE for key in pinned_keys)
        if by_key or entry.write is write:
            # The very row, or the rows that the same write made what they are: nothing else can be met.
            if True not in outcomes:
                return _Met(entry.row, False, possible=False)
            if by_key or outcomes == _SURE:
                return _Met(entry.row, outcomes == _SURE, assumed=assumptions(where, state, True, columns))
        elif outcomes == _SURE:
            return _Met(entry.row, True)
    row = fresh_row(table, name, {column: value for column, (_, value) in pinned.items()})
    return _Met(row, False, assumed=assumptions(where, state, True, bound(table, write, row)))


def _values(
    assignments: tuple[Assignment, ...], table: Table, state: State, columns: Columns | None
) -> dict[str, Term]:
    found: dict[str, Term] = {}
    for assignment in assignments:
        name = assignment.column
        if name.startswith("#") and name[1:].isdigit():
            at = int(name[1:]) - 1
            if at >= len(table.columns):
                continue
            name = table.columns[at].name
        column = table.by_name.get(name)
        if column is None:
            continue
        if assignment.is_default:
            found[name] = UNKNOWN if column.has_default else NULL
        elif assignment.value is None:
            found[name] = UNKNOWN
        else:
            found[name] = term(assignment.value.node, state, columns)
    # An unknown value is still one and the same value wherever this row is looked at: the row names it.
    return {name: value for name, value in found.items() if value != UNKNOWN} | {
        name: Term(True, None, f"set.{name}#{next(_numbers)}") for name, value in found.items() if value == UNKNOWN
    }


def _update(write: Write, table: Table, state: State, stored: tuple[Stored, ...]) -> Iterator[Change]:
    met = _met(write.where, table, write, state, stored)
    yield _updated(write, table, state, met, write.rows[0] if write.rows else (), None)


def _updated(
    write: Write,
    table: Table,
    state: State,
    met: _Met,
    assignments: tuple[Assignment, ...],
    inserted: Row | None,
) -> Change:
    values = _values(assignments, table, state, bound(table, write, met.row, inserted))
    for column in table.columns:
        if column.generated and values:
            values[column.name] = Term(True, None, f"set.{column.name}#{next(_numbers)}")
    names = frozenset(assignment.column for assignment in assignments)
    new = met.row.changed(values, met.row.name)
    return Change(table, "UPDATE", names, new, met.row, met.sure, write, met.possible, assumed=met.assumed)


@lru_cache(maxsize=4096)
def _is_single(text: str) -> bool:
    """Whether the INSERTs of a statement bring a row each whatever the data: VALUES, or a SELECT that reads nothing."""
    for node in statement_node(text).find_all(exp.Insert):
        source = node.expression
        if source is None or isinstance(source, exp.Values):
            continue
        if not isinstance(source, exp.Select):
            return False
        if any(source.args.get(part) for part in ("from", "from_", "where", "joins", "having", "limit")):
            return False
    return True


def _insert(write: Write, facts: SqlFacts, table: Table, state: State, stored: tuple[Stored, ...]) -> Iterator[Change]:
    sure = facts.has_node and _is_single(facts.fragment.text)
    values: dict[str, Term] = {}
    if len(write.rows) == 1:
        values = _values(write.rows[0], table, state, None)
    if write.rows and len(write.rows) == 1:
        for column in table.columns:
            if column.name not in values and not column.has_default and not column.generated:
                values[column.name] = NULL
    new = Row(f"inserted#{next(_numbers)}", values)
    change = Change(table, "INSERT", None, new, None, sure, write)
    conflict = write.conflict
    if conflict is None:
        yield change
        return
    # BEFORE INSERT triggers fire before PostgreSQL looks for the conflict; of AFTER INSERT and the triggers of
    # UPDATE, those fire that belong to what was done.
    targets = [column for column in conflict.columns if column is not None]
    single = targets if targets else (sorted(keys(table)) if conflict.does_nothing else [])
    standing = next(
        (
            entry
            for entry in reversed(stored)
            if entry.table == table.oid
            and any(_is_same(entry.row.term(column), new.term(column)) for column in single)
            and (not targets or all(_is_same(entry.row.term(column), new.term(column)) for column in targets))
        ),
        None,
    )
    yield replace(change, timings=("BEFORE", "INSTEAD OF"))
    yield replace(change, timings=("AFTER",), sure=False, rows=standing is None)
    if conflict.does_nothing:
        return
    if standing is not None:
        met = _Met(standing.row, sure)
    else:
        known = {column: new.term(column) for column in targets}
        met = _Met(fresh_row(table, f"row@{table.oid}.{write.span.start}", known), False)
    if conflict.where is not None:
        columns = bound(table, write, met.row, new)
        outcomes = evaluate(conflict.where.node, state, columns)
        if True not in outcomes:
            met = _Met(met.row, False, possible=False)
        elif outcomes != _SURE:
            met = _Met(met.row, False, assumed=assumptions(conflict.where.node, state, True, columns))
    yield _updated(write, table, state, met, conflict.assignments, new)


def _is_same(one: Term, other: Term) -> bool:
    return one.symbol is not None and one.symbol == other.symbol and one.constants != frozenset()
