"""Which user functions a statement calls, and what SQL it carries, constant texts of EXECUTE included."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.dynamic import command_of, constant_command
from trigger_audit.analysis.statements import read_expression, read_statement
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.analysis.model import FunctionCall, Site, SqlFacts, Write
    from trigger_audit.catalog.model import Catalog, Function, Table


class Calls:
    """Finds the user functions behind calls."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._names = frozenset(name for _, name in catalog.functions_by_name)
        self._defaults: dict[int, tuple[tuple[str, SqlFacts], ...]] = {}

    def functions(self, sql: SqlFacts, search_path: tuple[str, ...]) -> tuple[Function, ...]:
        """The user functions that an SQL text calls, each once, in the order of the text."""
        found: dict[int, Function] = {}
        for call in sql.calls:
            if call.name in self._names:
                found.update((function.oid, function) for function in self.meant(call, search_path))
        return tuple(found.values())

    def meant(self, call: FunctionCall, search_path: tuple[str, ...]) -> tuple[Function, ...]:
        """Those that a call may mean: of the first schema that has one for so many arguments.

        Trigger functions cannot be called, aggregates and window functions have no body. Types are not compared:
        several overloads may remain.
        """
        for schema in (call.schema,) if call.schema is not None else search_path:
            found = tuple(
                function
                for function in self._catalog.functions_by_name.get((schema, call.name), ())
                if function.kind in ("f", "p") and not function.returns_trigger and function.takes(call.arguments)
            )
            if found:
                return found
        return ()

    def of_defaults(self, write: Write, table: Table, search_path: tuple[str, ...]) -> tuple[Function, ...]:
        """The user functions that an INSERT calls for columns which it leaves to their DEFAULT."""
        if write.kind not in ("INSERT", "MERGE"):
            return ()
        known = self._defaults.get(table.oid)
        if known is None:
            known = tuple(
                (column.name, read_expression(tree.Fragment(column.default, tree.Span(0, len(column.default)))))
                for column in table.columns
                if column.default is not None and "(" in column.default
            )
            self._defaults[table.oid] = known
        if not known:
            return ()
        given = frozenset(
            assignment.column for row in write.rows for assignment in row if not assignment.is_default
        ) & frozenset(write.columns or ())
        found: dict[int, Function] = {}
        for column, sql in known:
            if column not in given and (write.columns is not None or not write.rows):
                found.update((function.oid, function) for function in self.functions(sql, search_path))
        return tuple(found.values())

    @staticmethod
    def is_sure(sql: SqlFacts) -> bool:
        """Whether an SQL text's calls run whatever the data: it reads no table and chooses nothing."""
        node = sql.node
        chooses = (exp.From, exp.Where, exp.Case, exp.Coalesce, exp.And, exp.Or)
        return node is not None and not any(isinstance(found, chooses) for found in node.walk())


def sql_of(site: Site, catalog: Catalog) -> tuple[SqlFacts, ...]:
    """The SQL that a statement runs: its own, and the text of an EXECUTE where that is always the same.

    What stands in such a text has its own place where the text is one plain literal, else that of the command.
    """
    command = command_of(site.statement.statement)
    text = None if command is None else constant_command(site, catalog)
    if command is None or text is None:
        return site.statement.sql
    lead = len(command.text) - len(command.text.lstrip()) + 1
    if command.text[lead : lead + len(text)] == text:
        return (*site.statement.sql, _of_text(text, command.span.start + lead))
    return (*site.statement.sql, _placed(_of_text(text, 0), command.span))


@lru_cache(maxsize=2048)
def _of_text(text: str, start: int) -> SqlFacts:
    return read_statement(tree.Fragment(text, tree.Span(start, start + len(text))))


@lru_cache(maxsize=2048)
def _placed(sql: SqlFacts, span: tree.Span) -> SqlFacts:
    return replace(
        sql,
        writes=tuple(replace(write, span=span) for write in sql.writes),
        calls=tuple(replace(call, span=span) for call in sql.calls),
    )
