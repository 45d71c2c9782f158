"""The keys of raw_user_meta_data that a cascade reads, and what their values must be for it to go through.

What a key's value passes through is followed: variables, record fields, arguments of helper functions, columns of
written tables that triggers of theirs read again. The reach is wide rather than exact: a key too many does no harm.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigger_audit.analysis.calls import Calls, sql_of
from trigger_audit.analysis.conditions import condition_node
from trigger_audit.analysis.metadata_flow import USER_METADATA, Known, Paths, Scope
from trigger_audit.analysis.metadata_uses import Uses
from trigger_audit.analysis.targets import is_whole, target_parts
from trigger_audit.analysis.wanted import Kind, Wanted, of_column, of_text
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from sqlglot import exp

    from trigger_audit.analysis.model import BodyFacts, Cascade, Site, Write
    from trigger_audit.catalog.model import Catalog, Column, Table

_MOST_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Reference:
    """The column whose rows a foreign key wants the value from."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class MetadataKey:
    """One value that functions read; `path` leads to it from the top of the document.

    `wanted` is what casts and columns take. `choices` are the texts that code compares it with or falls back to.
    `columns` are the ("schema.table", column) that it is written to, `references` what foreign keys on those want.
    `looked_up` names the tables in which a row is looked for by it.
    """

    path: tuple[str, ...]
    wanted: tuple[Wanted, ...]
    choices: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]
    looked_up: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """What is known of a path so far; dictionaries keep the order of the text."""

    wanted: dict[Wanted, None] = field(default_factory=dict)
    choices: dict[str, None] = field(default_factory=dict)
    columns: dict[tuple[str, str], None] = field(default_factory=dict)
    references: dict[Reference, None] = field(default_factory=dict)
    looked_up: dict[str, None] = field(default_factory=dict)


def metadata_keys(cascade: Cascade, catalog: Catalog) -> tuple[MetadataKey, ...]:
    """The keys in the order of their paths; the document itself is none."""
    reading = _Reading(cascade, catalog)
    reading.run()
    return tuple(
        MetadataKey(
            path,
            tuple(found.wanted),
            tuple(found.choices),
            tuple(found.columns),
            tuple(found.references),
            tuple(found.looked_up),
        )
        for path, found in sorted(reading.found.items())
        if path
    )


class _Reading:
    """Goes over the statements until no new way of a value is found."""

    def __init__(self, cascade: Cascade, catalog: Catalog) -> None:
        self._cascade = cascade
        self._catalog = catalog
        self._known = Known()
        self._calls = Calls(catalog)
        self._declared: dict[int, dict[str, str]] = {}
        self.found: dict[tuple[str, ...], Found] = {}

    def run(self) -> None:
        sites = self._distinct_sites()
        for _ in range(_MOST_ROUNDS):
            before = self._known.size
            for site in sites:
                if self._may_read(site):
                    with suppress(RecursionError):  # nested too deeply: what it reads is not known
                        self._statement(site)
            if self._known.size == before:
                break
        for visit in self._cascade.visits:
            trigger, table = visit.trigger, visit.table
            if trigger is not None and table is not None and trigger.when is not None:
                node = condition_node(trigger.when)
                if node is not None:
                    scope = Scope(self._known, self._catalog, visit.function, table, visit.search_path)
                    self._uses(scope).of(node)

    def _distinct_sites(self) -> list[Site]:
        """A statement once for each table that it may be fired for: what it reads is the same each time."""
        sites: dict[tuple[object, ...], Site] = {}
        for site in self._cascade.sites:
            visit = site.visit
            table = 0 if visit.table is None else visit.table.oid
            key = (visit.function.oid, table, site.statement.span, visit.search_path)
            sites.setdefault(key, site)
        return list(sites.values())

    def _may_read(self, site: Site) -> bool:
        visit = site.visit
        return (
            USER_METADATA in visit.function.source.lower()
            or visit.function.oid in self._known.functions
            or (visit.table is not None and visit.table.oid in self._known.tables)
        )

    def _uses(self, scope: Scope) -> Uses:
        return Uses(scope, self._calls, lambda path: self.found.setdefault(path, Found()))

    def _statement(self, site: Site) -> None:
        visit = site.visit
        scope = Scope(self._known, self._catalog, visit.function, visit.table, visit.search_path)
        uses = self._uses(scope)
        facts = site.statement
        for sql in sql_of(site, self._catalog):
            node = sql.node
            if node is not None:
                uses.of(node)
            for write in sql.writes:
                self._write(scope, write)
        nodes = [sql.node for sql in facts.sql]
        match facts.statement:
            case tree.Declaration(name=name, default=tree.Fragment()) if nodes and nodes[0] is not None:
                self._assign(scope, site.facts, name, scope.paths(nodes[0]))
            case tree.Assign(target=target) if nodes and nodes[0] is not None:
                self._assign(scope, site.facts, target, scope.paths(nodes[0]))
            case tree.Sql(into=into) if into and len(nodes) == 1 and nodes[0] is not None:
                self._into(scope, site.facts, into, nodes[0])
            case tree.Case(subject=tree.Fragment()) if nodes and nodes[0] is not None:
                uses.compared(scope.paths(nodes[0]), [node for node in nodes[1:] if node is not None])
            case _:
                pass

    # -- where values go

    def _write(self, scope: Scope, write: Write) -> None:
        table = self._catalog.table(write.target.schema, write.target.name, scope.search_path)
        if table is None:
            return
        ordered = [column for column in table.columns if not column.generated or write.columns is None]
        conflict = write.conflict.assignments if write.conflict else ()
        for row in (*write.rows, conflict):
            for assignment in row:
                if assignment.value is None:
                    continue
                name = assignment.column
                number = int(name[1:]) if name.startswith("#") and name[1:].isdigit() else 0
                column = ordered[number - 1] if 0 < number <= len(ordered) else table.by_name.get(name)
                if column is not None:
                    self._put(table, column, scope.paths(assignment.value.node))

    def _put(self, table: Table, column: Column, paths: Paths) -> None:
        if not paths:
            return
        self._known.add_column(table, column.name, paths)
        wanted = of_column(self._catalog, table, column)
        references = [
            Reference(there.schema, there.relation, constraint.referenced_columns[0])
            for constraint in table.constraints
            if constraint.kind == "f" and constraint.columns == (column.name,) and constraint.references is not None
            for there in [self._catalog.tables.get(constraint.references)]
            if there is not None
        ]
        for path in paths:
            found = self.found.setdefault(path, Found())
            found.wanted[wanted] = None
            found.columns[table.name, column.name] = None
            found.references.update(dict.fromkeys(references))

    def _assign(self, scope: Scope, facts: BodyFacts, target: str, paths: Paths) -> None:
        if not paths:
            return
        parts = target_parts(target)
        table = scope.table
        if parts[0] in ("new", "old") and len(parts) == 2 and table is not None:
            column = table.by_name.get(parts[1])
            # Auth's own document is not another value for having been read.
            if column is not None and not (table.schema == SCHEMA and column.name == USER_METADATA):
                self._put(table, column, paths)
            return
        type_text = self._declared_types(facts).get(parts[0], "")
        if len(parts) == 1 and is_whole(target):
            scope.bind(parts[0], paths)
            declared = self._of_declared(type_text, scope.search_path)
            if declared is not None:
                self._want(paths, declared)
        elif len(parts) == 2:
            scope.bind_field(parts[0], parts[1], paths)
            row = self._row_of(type_text, scope.search_path)
            column = None if row is None else row.by_name.get(parts[1])
            if row is not None and column is not None:
                self._want(paths, of_column(self._catalog, row, column))

    def _want(self, paths: Paths, wanted: Wanted) -> None:
        for path in paths:
            self.found.setdefault(path, Found()).wanted[wanted] = None

    def _into(self, scope: Scope, facts: BodyFacts, into: tuple[str, ...], node: exp.Expression) -> None:
        items = scope.items(node)
        if len(into) > 1 or len(items) == 1:
            for target, (_, paths) in zip(into, items, strict=False):
                self._assign(scope, facts, target, paths)
            if len(into) > 1:
                return
        for name, paths in items:  # a record or a row
            if name and paths:
                scope.bind_field(target_parts(into[0])[0], name, paths)

    # -- declarations

    def _declared_types(self, facts: BodyFacts) -> dict[str, str]:
        oid = facts.function.oid
        if oid not in self._declared:
            blocks = () if facts.body is None else tree.walk(facts.body.block)
            self._declared[oid] = {
                declaration.name: declaration.type_text
                for block in blocks
                if isinstance(block, tree.Block)
                for declaration in block.declarations
                if isinstance(declaration, tree.Declaration)
            }
        return self._declared[oid]

    def _of_declared(self, type_text: str, search_path: tuple[str, ...]) -> Wanted | None:
        """`text`, `public.app_role`, `public.profiles.role%TYPE`; None where it says nothing."""
        text = type_text.strip()
        if text.lower().endswith("%type"):
            parts = target_parts(text[: -len("%type")])
            table = None if len(parts) < 2 else self._table(parts[:-1], search_path)
            column = None if table is None else table.by_name.get(parts[-1])
            return None if table is None or column is None else of_column(self._catalog, table, column)
        wanted = of_text(self._catalog, text, search_path) if text and "%" not in text else None
        # A document in a variable of type jsonb is a document still.
        return None if wanted is None or wanted.kind in (Kind.JSON, Kind.OTHER) else wanted

    def _row_of(self, type_text: str, search_path: tuple[str, ...]) -> Table | None:
        text = type_text.strip()
        if text.lower().endswith("%rowtype"):
            text = text[: -len("%rowtype")]
        return self._table(target_parts(text), search_path) if text else None

    def _table(self, parts: tuple[str, ...], search_path: tuple[str, ...]) -> Table | None:
        if len(parts) > 2:
            return None
        return self._catalog.table(parts[0] if len(parts) == 2 else None, parts[-1], search_path)
