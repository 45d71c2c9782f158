"""Which value of raw_user_meta_data an expression hands on unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.expressions import identifier
from trigger_audit.analysis.nodes import bare, call_of, column_of, json_step, literal_text
from trigger_audit.auth.roles import SCHEMA

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog, Function, Table

USER_METADATA = "raw_user_meta_data"

Paths = frozenset[tuple[str, ...]]
"""Ways from the top of the document to a value; () is the document."""

NOTHING: Paths = frozenset()
_DOCUMENT: Paths = frozenset({()})
_HANDS_ON = frozenset(
    ("btrim", "ltrim", "rtrim", "initcap", "to_jsonb", "to_json", "jsonb_strip_nulls", "json_strip_nulls")
)  # fmt: skip
_SAME_VALUE = (exp.Trim, exp.Lower, exp.Upper, exp.Initcap, exp.Alias, exp.Collate)
_MOST_PATHS = 64
_MOST_KEYS = 8


@dataclass(slots=True)
class Known:
    """Where values have been seen to go: variables and record fields by function, columns by table."""

    functions: dict[int, dict[tuple[str, str], Paths]] = field(default_factory=dict)
    tables: dict[int, dict[str, Paths]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        functions = sum(len(paths) for names in self.functions.values() for paths in names.values())
        return functions + sum(len(paths) for names in self.tables.values() for paths in names.values())

    def add(self, function: int, record: str, name: str, paths: Paths) -> None:
        names = self.functions.setdefault(function, {})
        both = names.get((record, name), NOTHING) | paths
        if paths and len(both) <= _MOST_PATHS:
            names[record, name] = both

    def add_column(self, table: Table, name: str, paths: Paths) -> None:
        columns = self.tables.setdefault(table.oid, {})
        both = columns.get(name, NOTHING) | paths
        if len(both) <= _MOST_PATHS:
            columns[name] = both


class Scope:
    """One function as it runs for a table."""

    def __init__(
        self, known: Known, catalog: Catalog, function: Function, table: Table | None, search_path: tuple[str, ...]
    ) -> None:
        self.known = known
        self.catalog = catalog
        self.function = function
        self.table = table
        self.search_path = search_path

    def bind(self, name: str, paths: Paths) -> None:
        self.known.add(self.function.oid, "", name, paths)

    def bind_field(self, record: str, name: str, paths: Paths) -> None:
        self.known.add(self.function.oid, record, name, paths)

    def fields(self, record: str) -> list[tuple[str, Paths]]:
        """What is known of a record's fields."""
        names = self.known.functions.get(self.function.oid, {})
        return [(name, paths) for (owner, name), paths in names.items() if owner == record and owner]

    def paths(self, node: exp.Expression) -> Paths:
        """The values that the expression may be, whatever their type; empty where it makes another one of them."""
        node = bare(node)
        column = column_of(node)
        if column is not None:
            return self._column(*column)
        if isinstance(node, exp.Lambda):
            return self._arrow(node)
        step = json_step(node)
        if step is not None:
            return below(self.paths(step[0]), step[1])
        call = call_of(node)
        if call is not None:
            schema, name, arguments = call
            handed = schema in (None, "pg_catalog") and name in _HANDS_ON and len(arguments) >= 1
            return self.paths(arguments[0]) if handed else NOTHING
        match node:
            case exp.Cast() | exp.Nullif():
                return self.paths(node.this)
            case exp.Coalesce():
                return self._either([node.this, *node.expressions])
            case exp.Case():
                branches = [branch.args["true"] for branch in node.args["ifs"]]
                return self._either([*branches, *([node.args["default"]] if node.args.get("default") else [])])
            case exp.Subquery() | exp.Select():
                items = self.items(node.this if isinstance(node, exp.Subquery) else node)
                return items[0][1] if len(items) == 1 else NOTHING
            case exp.Parameter() if isinstance(node.this, exp.Literal) and str(node.this.this).isdigit():
                number = int(str(node.this.this))
                arguments_ = self.function.arguments
                names = self.known.functions.get(self.function.oid, {})
                return names.get(("", f"${number}"), NOTHING) if number <= len(arguments_) else NOTHING
        return self.paths(node.this) if isinstance(node, _SAME_VALUE) and node.this is not None else NOTHING

    def items(self, node: exp.Expression) -> list[tuple[str, Paths]]:
        """The columns of a query by name, '' for those without one."""
        if not isinstance(node, exp.Select):
            return [("", self.paths(node))] if not isinstance(node, exp.Query) else []
        found: list[tuple[str, Paths]] = []
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                for table in node.find_all(exp.Table):
                    alias = table.args.get("alias")
                    name = identifier(alias.this) if alias is not None else None
                    found += self.fields(name or table.name.lower())
                continue
            value = item.this if isinstance(item, exp.Alias) else item
            column = column_of(value)
            alias = identifier(item.args.get("alias")) if isinstance(item, exp.Alias) else None
            found.append((alias or (column[1] if column is not None else ""), self.paths(value)))
        return found

    def _column(self, record: str | None, name: str) -> Paths:
        names = self.known.functions.get(self.function.oid, {})
        if record in ("new", "old") and self.table is not None:
            if name == USER_METADATA and self.table.schema == SCHEMA and self.table.relation == "users":
                return _DOCUMENT
            return self.known.tables.get(self.table.oid, {}).get(name, NOTHING)
        known = names.get((record or "", name))
        if known is None and record is not None and record == self.function.proname:  # function.argument
            known = names.get(("", name))
        if known is not None:
            return known
        return _DOCUMENT if name == USER_METADATA else NOTHING

    def _arrow(self, node: exp.Lambda) -> Paths:
        """`meta -> 'a' ->> 'b'` as an argument of a function: sqlglot takes the arrow for that of a lambda."""
        names = [identifier(name) for name in node.expressions]
        if len(names) != 1 or names[0] is None or node.this is None:
            return NOTHING
        keys: list[str | None] = []
        inner = bare(node.this)
        while (step := json_step(inner)) is not None:
            keys[:0] = step[1]
            inner = bare(step[0])
        return below(self._column(None, names[0]), (literal_text(inner), *keys))

    def _either(self, nodes: list[exp.Expression]) -> Paths:
        return frozenset(path for node in nodes for path in self.paths(node))


def below(paths: Paths, keys: tuple[str | None, ...]) -> Paths:
    """The values under these keys; a computed key leads nowhere, nor does an element of a list."""
    if not keys or any(key is None or key.lstrip("-").isdigit() for key in keys):
        return NOTHING
    named = tuple(key for key in keys if key is not None)
    return frozenset((*path, *named) for path in paths if len(path) + len(named) <= _MOST_KEYS)
