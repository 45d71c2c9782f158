"""Which privileges a statement needs of the role that runs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.expressions import identifier
from trigger_audit.analysis.model import Requirement

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Expression, FunctionCall, Relation, Site, SqlFacts, Write
    from trigger_audit.catalog.model import Catalog, Function, Table

_SEQUENCE = re.compile(r"""\bnextval\('((?:[^']|'')+)'::(?:pg_catalog\.)?regclass\)""")


def requirements(site: Site, catalog: Catalog) -> tuple[Requirement, ...]:
    """What the visit's role needs for a statement, in the order in which PostgreSQL looks: schemas, tables, columns.

    A table's privilege is met by a grant on any of its columns; the columns that are certainly used are required
    besides. Nothing is required of a superuser, nor on what the role owns. What EXECUTE runs is not looked at.
    """
    role = catalog.roles.get(site.visit.role)
    if role is None or role.superuser:
        return ()
    needs = _Needs(site, catalog)
    found: dict[Requirement, None] = {}
    for facts in site.statement.sql:
        found.update(dict.fromkeys(needs.of(facts)))
    return tuple(found)


class _Needs:
    def __init__(self, site: Site, catalog: Catalog) -> None:
        self._role = site.visit.role
        self._path = site.visit.search_path
        self._catalog = catalog

    def of(self, facts: SqlFacts) -> Iterator[Requirement]:
        targets = {write.target.span for write in facts.writes}
        relations = [*(write.target for write in facts.writes), *facts.reads]
        for schema in dict.fromkeys(self._schemas(relations, facts.calls)):
            found = self._catalog.schemas.get(schema)
            if found is not None and found.owner != self._role:
                yield Requirement(self._role, "schema", found.oid, "USAGE")
        for write in facts.writes:
            yield from self._write(write)
        for read in facts.reads:
            table = self._table(read)
            if table is not None and read.span not in targets:
                yield Requirement(self._role, "table", table.oid, "SELECT")
        for call in facts.calls:
            function = self._function(call)
            if function is not None and function.owner != self._role:
                yield Requirement(self._role, "function", function.oid, "EXECUTE")

    def _schemas(self, relations: Iterable[Relation], calls: Iterable[FunctionCall]) -> Iterator[str]:
        for relation in relations:
            table = self._catalog.table(relation.schema, relation.name, self._path)
            if relation.schema is not None:
                yield relation.schema
            elif table is not None:
                yield table.schema
        yield from (call.schema for call in calls if call.schema is not None)

    def _table(self, relation: Relation) -> Table | None:
        table = self._catalog.table(relation.schema, relation.name, self._path)
        return None if table is None or table.owner == self._role else table

    def _function(self, call: FunctionCall) -> Function | None:
        """The user's function that a call means, where only one can be meant."""
        for schema in (call.schema,) if call.schema is not None else self._path:
            found = [
                function
                for function in self._catalog.functions_by_name.get((schema, call.name), ())
                if len(function.arguments) - function.defaults <= call.arguments <= len(function.arguments)
            ]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _write(self, write: Write) -> Iterator[Requirement]:
        table = self._table(write.target)
        if table is None:
            return
        given = {_column(assignment.column, table) for row in write.rows for assignment in row}
        match write.kind:
            case "INSERT":
                if write.columns is not None:
                    given = set(write.columns)
                yield from self._columns(table, "INSERT", given)
            case "UPDATE":
                yield from self._columns(table, "UPDATE", given)
            case "DELETE" | "TRUNCATE":
                yield Requirement(self._role, "table", table.oid, write.kind)
        conflict = write.conflict
        read: set[str | None] = set()
        if conflict is not None:
            yield from self._columns(
                table, "UPDATE", {assignment.column for assignment in conflict.assignments}, always=False
            )
            # The columns of the arbiter are read, also where nothing is done (transformOnConflictArbiter).
            read.update(conflict.columns)
            for constraint in table.constraints:
                if constraint.name == conflict.constraint:
                    read.update(constraint.columns)
            values = [assignment.value for assignment in conflict.assignments]
            read.update(self._read_columns([conflict.where, *values], table, write.target))
        if write.kind != "INSERT":
            values = [assignment.value for row in write.rows for assignment in row]
            read.update(self._read_columns([write.where, *values], table, write.target))
        if write.returning or write.kind == "MERGE":
            yield Requirement(self._role, "table", table.oid, "SELECT")
        yield from self._columns(table, "SELECT", read, always=False)
        if write.kind == "INSERT":
            yield from self._sequences(table, given)

    def _columns(
        self, table: Table, privilege: str, names: Iterable[str | None], *, always: bool = True
    ) -> Iterator[Requirement]:
        """The table, and its columns of those names, in its order. Not `always`: only where there are any."""
        wanted = set(names)
        columns = [column.name for column in table.columns if column.name in wanted]
        if columns or always:
            yield Requirement(self._role, "table", table.oid, privilege)
        for column in columns:
            yield Requirement(self._role, "column", table.oid, privilege, column)

    @staticmethod
    def _read_columns(expressions: Iterable[Expression | None], table: Table, target: Relation) -> Iterator[str]:
        """The table's own columns that expressions name: bare, or after its name or alias. Sub-selects are left out."""
        for expression in expressions:
            if expression is None:
                continue
            # A bare name in a sub-select may be a column of another table.
            outside = {id(node) for node in expression.node.walk(prune=lambda node: isinstance(node, exp.Query))}
            for column in expression.node.find_all(exp.Column):
                qualifier = identifier(column.args.get("table"))
                name = identifier(column.this)
                own = qualifier == (target.alias or target.name) or (qualifier is None and id(column) in outside)
                if own and name is not None and name in table.by_name:
                    yield name

    def _sequences(self, table: Table, given: set[str | None]) -> Iterator[Requirement]:
        """serial columns that the INSERT leaves out; the sequence of an identity column needs no privilege."""
        for column in table.columns:
            if column.name not in given and column.default is not None and not column.identity:
                for name in _SEQUENCE.findall(column.default):
                    yield Requirement(self._role, "sequence", 0, "USAGE", name.replace("''", "'"))


def _column(name: str, table: Table) -> str | None:
    """A written column's name; '#n' is the n-th of the table."""
    if not name.startswith("#"):
        return name
    at = int(name[1:]) - 1 if name[1:].isdigit() else -1
    return table.columns[at].name if 0 <= at < len(table.columns) else None
