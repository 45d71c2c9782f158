"""The shape of INSERT, UPDATE, DELETE, MERGE and TRUNCATE: columns, values, WHERE, ON CONFLICT, each with its place.

libpg_query's tree says what a statement is and how its names read; the tokens say where each part ends.
"""

from __future__ import annotations

from typing import Any

from trigger_audit.analysis.expressions import Unreadable, expression_or_text
from trigger_audit.analysis.model import Assignment, Conflict, Expression, Relation, Write
from trigger_audit.analysis.tokens import Tokens
from trigger_audit.plpgsql.tree import Span

PgNode = dict[str, Any]

# Words that end a SELECT's target list.
_AFTER_TARGETS = (
    "FROM", "INTO", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET",
    "FETCH", "FOR",
)  # fmt: skip
_AFTER_SET = ("FROM", "WHERE", "RETURNING")


class Places:
    """Offsets of one parse: bytes of the text given to libpg_query, characters of it, and characters of the body."""

    __slots__ = ("_characters", "_prefix", "_start", "tokens")

    def __init__(self, text: str, prefix: int, start: int) -> None:
        """`prefix` characters stand before the fragment's own text; the fragment begins at `start` of the body."""
        self.tokens = Tokens(text)
        self._prefix = prefix
        self._start = start
        self._characters: list[int] | None = None
        if not text.isascii():
            self._characters = [
                index for index, character in enumerate(text) for _ in character.encode("utf-8", "surrogatepass")
            ]

    def token(self, location: int) -> int:
        """The token at a byte offset of libpg_query's. Raises Unreadable where none begins there."""
        try:
            return self.tokens.at(location if self._characters is None else self._characters[location])
        except (KeyError, IndexError):
            raise Unreadable("its parts could not be placed") from None

    def span(self, start: int, end: int) -> Span:
        """The tokens from start to end (exclusive) as characters of the body."""
        items = self.tokens.items
        shift = self._start - self._prefix
        if start >= end:
            at = (items[start].start if start < len(items) else len(self.tokens.text)) + shift
            return Span(at, at)
        return Span(items[start].start + shift, items[end - 1].end + shift)

    def expression(self, start: int, end: int) -> Expression | None:
        """The expression that the tokens from start to end make; None if there are none."""
        if start >= end:
            return None
        items = self.tokens.items
        text = self.tokens.text[items[start].start : items[end - 1].end]
        return Expression(expression_or_text(text), text, self.span(start, end))

    def relation(self, node: PgNode) -> Relation:
        """A RangeVar."""
        at = self.token(node.get("location", 0))
        alias = node.get("alias", {}).get("aliasname")
        return Relation(node.get("schemaname"), node["relname"], alias, self.span(at, self.tokens.name_end(at)))


def read_write(kind: str, node: PgNode, places: Places, in_with: bool) -> Write:
    """One InsertStmt, UpdateStmt, DeleteStmt or MergeStmt of libpg_query's."""
    tokens = places.tokens
    relation = node["relation"]
    name = places.token(relation["location"])
    target = places.relation(relation)
    end = tokens.enclosing_end(name)
    begin = name
    while begin > 0 and tokens.word(begin) != kind:
        begin -= 1
    returning = bool(node.get("returningList") or node.get("returningClause"))
    columns: tuple[str, ...] | None = None
    rows: tuple[tuple[Assignment, ...], ...] = ()
    where: Expression | None = None
    conflict: Conflict | None = None
    after_name = tokens.name_end(name)
    if kind == "INSERT":
        clause = node.get("onConflictClause")
        stop = places.token(clause["location"]) if clause else tokens.find(after_name, end, "RETURNING")
        columns, rows = _insert_rows(node, places, after_name, stop, target)
        if clause:
            conflict = _conflict(clause, places, stop, tokens.find(stop, end, "RETURNING"))
    elif kind == "UPDATE":
        begin_set = tokens.find(after_name, end, "SET") + 1
        rows = (_set_list(node.get("targetList", []), places, begin_set, end),)
        where = _where(node, places, begin_set, end)
    elif kind == "DELETE":
        where = _where(node, places, after_name, end)
    return Write(kind, target, columns, rows, where, conflict, returning, in_with, places.span(begin, end))


def read_truncate(node: PgNode, places: Places) -> tuple[Write, ...]:
    """One Write a table of a TruncateStmt."""
    writes = []
    for entry in node.get("relations", []):
        target = places.relation(entry["RangeVar"])
        span = places.span(0, places.tokens.enclosing_end(0))
        writes.append(Write("TRUNCATE", target, None, (), None, None, False, False, span))
    return tuple(writes)


def _where(node: PgNode, places: Places, start: int, end: int) -> Expression | None:
    if "whereClause" not in node:
        return None
    tokens = places.tokens
    return places.expression(tokens.find(start, end, "WHERE") + 1, tokens.find(start, end, "RETURNING"))


def _assignment(column: str, places: Places, item: tuple[int, int], column_span: Span, partial: bool) -> Assignment:
    """`partial`: only a field or element of the column is set, so that the column's own value is not told."""
    start, end = item
    is_default = end - start == 1 and places.tokens.word(start) == "DEFAULT"
    value = None if is_default or partial else places.expression(start, end)
    return Assignment(column, value, is_default, column_span)


def _insert_rows(
    node: PgNode, places: Places, start: int, end: int, target: Relation
) -> tuple[tuple[str, ...] | None, tuple[tuple[Assignment, ...], ...]]:
    tokens = places.tokens
    listed = [entry["ResTarget"] for entry in node.get("cols", [])]
    columns = tuple(column["name"] for column in listed) if listed else None
    at = start
    if tokens.word(at) == "AS":
        at += 2
    if listed:
        at = tokens.close(at) + 1
    if tokens.word(at) == "OVERRIDING":
        at += 3
    select = node.get("selectStmt", {}).get("SelectStmt")
    if select is None:  # DEFAULT VALUES
        return columns, ()
    spans = [_name_span(places, column) for column in listed]
    partial = [bool(column.get("indirection")) for column in listed]

    def row(items: list[tuple[int, int]], stars: list[bool]) -> tuple[Assignment, ...] | None:
        """One row; what stands at a `*` or behind it cannot be numbered before the table is known."""
        known = stars.index(True) if True in stars else len(items)
        if columns is None:
            if known < len(items):
                return None
            return tuple(
                _assignment(f"#{number}", places, item, target.span, False) for number, item in enumerate(items, 1)
            )
        return tuple(
            _assignment(column, places, items[index], spans[index], partial[index])
            if index < known and index < len(items)
            else Assignment(column, None, False, spans[index])
            for index, column in enumerate(columns)
        )

    unknown: tuple[tuple[Assignment, ...], ...] = ()
    if columns is not None:
        unknown = (tuple(Assignment(column, None, False, span) for column, span in zip(columns, spans, strict=True)),)
    while tokens.word(at) == "(":
        end = tokens.close(at)
        at += 1
    if tokens.word(at) == "WITH":
        at = tokens.find(at, end, "SELECT", "VALUES", "TABLE")
    if "valuesLists" in select and tokens.word(at) == "VALUES":
        rows = []
        groups = [group for group in tokens.split(at + 1, end) if tokens.word(group[0]) == "("]
        if len(groups) != len(select["valuesLists"]):
            # ORDER BY or LIMIT after VALUES may hold commas too; the rows come first.
            groups = groups[: len(select["valuesLists"])]
        for (opening, _), values in zip(groups, select["valuesLists"], strict=False):
            items = tokens.split(opening + 1, tokens.close(opening))
            found = row(items, [_is_star(value) for value in values["List"]["items"]])
            if found is None:
                return columns, ()
            rows.append(found)
        return columns, tuple(rows)
    if select.get("op", "SETOP_NONE") != "SETOP_NONE" or tokens.word(at) != "SELECT":
        return columns, unknown
    targets = [entry["ResTarget"] for entry in select.get("targetList", [])]
    items = _target_items(targets, places, at + 1, end)
    found = row(items, [_is_star(entry.get("val", {})) for entry in targets]) if len(items) == len(targets) else None
    return columns, unknown if found is None else (found,)


def _target_items(targets: list[PgNode], places: Places, start: int, end: int) -> list[tuple[int, int]]:
    """The items of a SELECT's target list, their `AS name` cut off."""
    tokens = places.tokens
    at = start
    if tokens.word(at) == "ALL":
        at += 1
    elif tokens.word(at) == "DISTINCT":
        at += 1
        if tokens.word(at) == "ON":
            at = tokens.close(at + 1) + 1
    items = []
    for (begin, stop), target in zip(tokens.split(at, tokens.find(at, end, *_AFTER_TARGETS)), targets, strict=False):
        if "name" in target:
            stop -= 2 if tokens.word(stop - 2) == "AS" and stop - 2 > begin else 1
        items.append((begin, stop))
    return items


def _is_star(node: PgNode) -> bool:
    fields = node.get("ColumnRef", {}).get("fields", [])
    return bool(fields) and "A_Star" in fields[-1]


def _name_span(places: Places, target: PgNode) -> Span:
    at = places.token(target["location"])
    return places.span(at, at + 1)


def _set_list(targets: list[PgNode], places: Places, start: int, end: int) -> tuple[Assignment, ...]:
    tokens = places.tokens
    found: list[Assignment] = []
    rest = iter([entry["ResTarget"] for entry in targets])
    for begin, stop in tokens.split(start, tokens.find(start, end, *_AFTER_SET)):
        equals = tokens.find(begin, stop, "=")
        if tokens.word(begin) != "(":
            target = next(rest)
            partial = bool(target.get("indirection"))
            found.append(_assignment(target["name"], places, (equals + 1, stop), _name_span(places, target), partial))
            continue
        names = tokens.split(begin + 1, tokens.close(begin))
        values = _row_items(tokens, equals + 1, len(names))
        for index in range(len(names)):
            target = next(rest)
            span = _name_span(places, target)
            if values is None:
                found.append(Assignment(target["name"], None, False, span))
            else:
                partial = bool(target.get("indirection"))
                found.append(_assignment(target["name"], places, values[index], span, partial))
    return tuple(found)


def _row_items(tokens: Tokens, at: int, count: int) -> list[tuple[int, int]] | None:
    """The values of `(a, b) = (x, y)`; None where a sub-select gives them."""
    if tokens.word(at) == "ROW":
        at += 1
    if tokens.word(at) != "(" or tokens.word(at + 1) in ("SELECT", "WITH", "VALUES"):
        return None
    items = tokens.split(at + 1, tokens.close(at))
    return items if len(items) == count else None


def _conflict(node: PgNode, places: Places, start: int, end: int) -> Conflict:
    tokens = places.tokens
    infer = node.get("infer", {})
    elements = [entry["IndexElem"] for entry in infer.get("indexElems", [])]
    does = tokens.find(start, end, "DO")
    predicate = None
    if "whereClause" in infer:
        found = places.expression(tokens.find(start, does, "WHERE") + 1, does)
        predicate = found.text if found is not None else None
    does_nothing = node.get("action") == "ONCONFLICT_NOTHING"
    assignments: tuple[Assignment, ...] = ()
    where = None
    if not does_nothing:
        begin_set = tokens.find(does, end, "SET") + 1
        assignments = _set_list(node.get("targetList", []), places, begin_set, end)
        where = _where(node, places, begin_set, end)
    return Conflict(
        tuple(element.get("name") for element in elements),
        infer.get("conname"),
        predicate,
        does_nothing,
        assignments,
        where,
        places.span(start, end),
    )
