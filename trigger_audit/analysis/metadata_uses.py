"""What is done to a value of raw_user_meta_data: casts, comparisons, calls, look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.expressions import fold, identifier
from trigger_audit.analysis.metadata_flow import Paths, Scope, below
from trigger_audit.analysis.model import FunctionCall
from trigger_audit.analysis.nodes import bare, call_of, column_of, json_step, literal_text
from trigger_audit.analysis.shapes import array_items, quantifier
from trigger_audit.analysis.wanted import Kind, Wanted, of_column, of_node, of_type
from trigger_audit.plpgsql.tree import Span

if TYPE_CHECKING:
    from trigger_audit.analysis.calls import Calls
    from trigger_audit.analysis.metadata import Found

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_ORDER: dict[type[exp.Expression], int] = {exp.GT: 1, exp.GTE: 0, exp.LT: -1, exp.LTE: 0}
_READ_AS = (
    ((exp.StrToDate, exp.TsOrDsToDate, exp.Date), Kind.DATE),
    ((exp.StrToTime, exp.Timestamp), Kind.TIMESTAMP),
    ((exp.StringToArray,), Kind.TEXT),
)
_CALLS = {
    "jsonb_array_elements": Kind.LIST, "jsonb_array_elements_text": Kind.LIST, "jsonb_array_length": Kind.LIST,
    "json_array_elements": Kind.LIST, "json_array_elements_text": Kind.LIST, "json_array_length": Kind.LIST,
    "jsonb_object_keys": Kind.OBJECT, "json_object_keys": Kind.OBJECT, "jsonb_each": Kind.OBJECT,
    "jsonb_each_text": Kind.OBJECT, "json_each": Kind.OBJECT, "json_each_text": Kind.OBJECT,
    "jsonb_to_recordset": Kind.LIST, "json_to_recordset": Kind.LIST,
    "to_date": Kind.DATE, "to_timestamp": Kind.TIMESTAMP, "date": Kind.DATE,
}  # fmt: skip
_TO_RECORD = ("jsonb_to_record", "json_to_record")
_POPULATE = ("jsonb_populate_record", "json_populate_record")
_JSON_TYPES = {
    "array": Kind.LIST, "object": Kind.OBJECT, "number": Kind.INTEGER, "string": Kind.TEXT, "boolean": Kind.BOOLEAN,
}  # fmt: skip


class Uses:
    """Notes what one statement's expressions do with the values; `found` gives a path's notes."""

    def __init__(self, scope: Scope, calls: Calls, found: Callable[[tuple[str, ...]], Found]) -> None:
        self._scope = scope
        self._calls = calls
        self._found = found

    def of(self, root: exp.Expression) -> None:
        for node in root.walk():
            if not isinstance(node, exp.Expression):
                continue
            step = json_step(node) if not isinstance(node, exp.Lambda) else None
            if step is not None or isinstance(node, exp.Lambda):
                self._touch(self._scope.paths(node))
            if step is not None and any(key is not None and key.isdigit() for key in step[1][:1]):
                self._want(self._scope.paths(step[0]), Wanted(Kind.LIST))
            self._node(node)

    def compared(self, paths: Paths, others: Iterable[exp.Expression]) -> None:
        """The values are compared with these; literals among them are values that code knows."""
        for other in others:
            several = other.expressions if isinstance(other, exp.Select) else [other]
            for each in several:
                text = literal_text(each)
                if text is not None:
                    self._choose(paths, text)

    def _touch(self, paths: Paths) -> None:
        for path in paths:
            self._found(path)

    def _want(self, paths: Paths, wanted: Wanted) -> None:
        for path in paths:
            self._found(path).wanted[wanted] = None

    def _choose(self, paths: Paths, text: str) -> None:
        for path in paths if text else ():
            self._found(path).choices[text] = None

    def _node(self, node: exp.Expression) -> None:
        scope = self._scope
        match node:
            case exp.Cast():
                if isinstance(node.to, exp.DataType):
                    wanted = of_node(scope.catalog, node.to, scope.search_path)
                    if wanted.kind not in (Kind.TEXT, Kind.OTHER) or wanted.length or wanted.checks:
                        self._want(scope.paths(node.this), wanted)
            case exp.JSONBContainsTopKey():
                self._touch(below(scope.paths(node.this), (literal_text(node.expression),)))
            case exp.JSONBContainsAnyTopKeys() | exp.JSONBContainsAllTopKeys():
                for item in node.expression.find_all(exp.Literal):
                    self._touch(below(scope.paths(node.this), (literal_text(item),)))
            case exp.In():
                self.compared(scope.paths(node.this), node.expressions)
                query = node.args.get("query")
                if query is not None:
                    self._look_up(node.this, query)
            case exp.Between():
                self._bound(scope.paths(node.this), node.args["low"], 0)
            case exp.Case() if node.this is not None:
                self.compared(scope.paths(node.this), [branch.this for branch in node.args["ifs"]])
            case exp.Coalesce():
                self.compared(scope.paths(node), node.expressions)
            case exp.Table():
                self._from(node)
            case _ if isinstance(node, _COMPARISONS):
                self._comparison(node, node.this, node.expression)
                self._comparison(node, node.expression, node.this)
            case _:
                self._call(node)

    # -- comparisons

    def _comparison(self, node: exp.Expression, side: exp.Expression, other: exp.Expression) -> None:
        paths = self._scope.paths(side)
        if not paths:
            self._of_json_type(side, literal_text(other))
            return
        if quantifier(other) is not None:
            self.compared(paths, array_items(other) or ())
            return
        if type(node) in _ORDER:
            towards = _ORDER[type(node)] * (1 if side is node.this else -1)
            self._bound(paths, other, towards)
        elif literal_text(other) is not None:
            self.compared(paths, [other])
        else:
            self._look_up_column(node, paths, other)

    def _of_json_type(self, side: exp.Expression, name: str | None) -> None:
        """`jsonb_typeof(meta -> 'tags') = 'array'`."""
        call = call_of(bare(side))
        if call is None or name not in _JSON_TYPES or len(call[2]) != 1:
            return
        if call[1] in ("jsonb_typeof", "json_typeof"):
            self._want(self._scope.paths(call[2][0]), Wanted(_JSON_TYPES[name]))

    def _bound(self, paths: Paths, other: exp.Expression, beyond: int) -> None:
        text = literal_text(other)
        if paths and text is not None and text.lstrip("-").isdigit():
            self._choose(paths, str(int(text) + beyond))

    def _look_up_column(self, node: exp.Expression, paths: Paths, other: exp.Expression) -> None:
        """`WHERE code = NEW.raw_user_meta_data ->> 'code'`: a row is looked for."""
        inner = bare(other)
        while isinstance(inner, exp.Cast | exp.Lower | exp.Upper | exp.Trim):
            inner = bare(inner.this)
        column = column_of(inner)
        if column is None or column[0] in ("new", "old") or self._scope.paths(inner):
            return
        where = node.find_ancestor(exp.Where, exp.Join)
        query = None if where is None else where.find_ancestor(exp.Select, exp.Update, exp.Delete)
        if query is not None:
            self._note_look_up(paths, query)

    def _look_up(self, side: exp.Expression, query: exp.Expression) -> None:
        self._note_look_up(self._scope.paths(side), query)

    def _note_look_up(self, paths: Paths, query: exp.Expression) -> None:
        table = query.find(exp.Table)
        name = None if table is None or not isinstance(table.this, exp.Identifier) else identifier(table.this)
        if name is None or table is None:
            return
        schema = identifier(table.args.get("db"))
        found = self._scope.catalog.table(schema, name, self._scope.search_path)
        for path in paths:
            self._found(path).looked_up[found.name if found is not None else name] = None

    # -- calls

    def _call(self, node: exp.Expression) -> None:
        for kinds, kind in _READ_AS:
            if isinstance(node, kinds):
                self._want(self._scope.paths(node.this), Wanted(kind))
        if isinstance(node, exp.Anonymous) and isinstance(node.parent, exp.Dot):
            return  # looked at with its schema
        call = call_of(node)
        if call is None:
            return
        schema, name, arguments = call
        if schema in (None, "pg_catalog") and name in _CALLS and arguments:
            self._want(self._scope.paths(arguments[0]), Wanted(_CALLS[name]))
        elif schema in (None, "pg_catalog") and name in _POPULATE and len(arguments) >= 2:
            self._populate(arguments[0], self._scope.paths(arguments[1]))
        else:
            self._hand_over(schema, name, arguments)

    def _hand_over(self, schema: str | None, name: str, arguments: list[exp.Expression]) -> None:
        """The arguments of a user's function are values of it."""
        given: list[tuple[int | str, exp.Expression]] = [
            (fold(argument.this.name), argument.expression) if isinstance(argument, exp.Kwarg) else (number, argument)
            for number, argument in enumerate(arguments)
        ]
        handed = [(where, paths) for where, value in given if (paths := self._scope.paths(value))]
        if not handed:
            return
        call = FunctionCall(schema, name, len(arguments), Span(0, 0))
        for function in self._calls.meant(call, self._scope.search_path):
            names = [argument for argument, _ in function.arguments]
            for where, paths in handed:
                number = where if isinstance(where, int) else names.index(where) if where in names else -1
                if not 0 <= number < len(names):
                    continue
                known = self._scope.known
                known.add(function.oid, "", f"${number + 1}", paths)
                if names[number]:
                    known.add(function.oid, "", names[number], paths)
                wanted = of_type(self._scope.catalog, self._scope.catalog.types.get(function.arguments[number][1]))
                if wanted.kind not in (Kind.TEXT, Kind.JSON, Kind.OTHER) or wanted.checks:
                    self._want(paths, wanted)

    def _populate(self, row: exp.Expression, paths: Paths) -> None:
        """jsonb_populate_record(NULL::public.profiles, meta): every column is a key.

        Not those that a client would leave alone: the primary key, foreign keys, what the server fills in by itself.
        """
        inner = bare(row)
        kind = inner.to.args.get("kind") if isinstance(inner, exp.Cast) else None
        dotted = isinstance(kind, exp.Dot)
        schema = identifier(kind.this) if dotted and kind is not None else None
        name = identifier(kind.expression if dotted else kind) if isinstance(kind, exp.Dot | exp.Identifier) else None
        table = None if name is None else self._scope.catalog.table(schema, name, self._scope.search_path)
        if table is None:
            return
        keys = {name for constraint in table.constraints if constraint.kind in "pf" for name in constraint.columns}
        for column in table.columns:
            if column.name in keys or column.identity or column.generated:
                continue
            for path in paths:
                found = self._found((*path, column.name))
                found.wanted[of_column(self._scope.catalog, table, column)] = None
                found.columns[table.name, column.name] = None

    def _from(self, table: exp.Table) -> None:
        """FROM jsonb_to_record(meta) AS x(full_name text, age int): columns are keys with a type."""
        call = call_of(table.this) if isinstance(table.this, exp.Expression) else None
        alias = table.args.get("alias")
        if call is None or alias is None or call[0] not in (None, "pg_catalog") or call[1] not in _TO_RECORD:
            return
        record = identifier(alias.this) or ""
        for definition in alias.args.get("columns") or ():
            name = identifier(definition.this) if isinstance(definition, exp.ColumnDef) else None
            if name is None or not call[2]:
                continue
            paths = below(self._scope.paths(call[2][0]), (name,))
            self._touch(paths)
            if isinstance(definition.args.get("kind"), exp.DataType):
                self._want(paths, of_node(self._scope.catalog, definition.args["kind"], self._scope.search_path))
            self._scope.bind_field(record, name, paths)
            self._scope.bind(name, paths)
