"""What rules about written values need to know of the written table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.catalog.naming import quoted
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Assignment, Audit, Site, Write
    from trigger_audit.catalog.model import Column, Table


@dataclass(frozen=True, slots=True)
class Target:
    """A write with the table it means. `filled` are columns that a BEFORE INSERT trigger of the table assigns."""

    site: Site
    write: Write
    table: Table
    filled: frozenset[str]


def written_targets(audit: Audit, kinds: tuple[str, ...]) -> Iterator[Target]:
    """Every write of these kinds whose table is in the catalog and holds rows itself (no view, no foreign table)."""
    filled: dict[int, frozenset[str]] = {}
    for site in audit.cascade.sites:
        for write in site.statement.writes:
            if write.kind not in kinds:
                continue
            table = audit.catalog.table(write.target.schema, write.target.name, site.visit.search_path)
            if table is None or table.kind not in ("r", "p"):
                continue
            if table.oid not in filled:
                filled[table.oid] = filled_before(audit, table)
            yield Target(site, write, table, filled[table.oid])


def assigned(target: Target) -> Iterator[tuple[Column, Assignment]]:
    """The columns of the target with what the write gives them, those of ON CONFLICT DO UPDATE included."""
    table = target.table
    conflict = target.write.conflict.assignments if target.write.conflict else ()
    ordered = [column for column in table.columns if not column.generated or target.write.columns is None]
    for row in (*target.write.rows, conflict):
        for assignment in row:
            name = assignment.column
            if name.startswith("#") and name[1:].isdigit():
                number = int(name[1:])
                if number <= len(ordered):
                    yield ordered[number - 1], assignment
            elif name in table.by_name:
                yield table.by_name[name], assignment


def nullable(table: Table, column: str) -> str:
    """The statement that lets the column be NULL."""
    return f"alter table {table.sql} alter column {quoted(column)} drop not null"


def must_not_be_null(audit: Audit, column: Column) -> bool:
    """NOT NULL on the column, or on a domain it has."""
    if column.not_null:
        return True
    kind = audit.catalog.types.get(column.type_oid)
    while kind is not None and kind.kind == "d":
        if kind.not_null:
            return True
        kind = audit.catalog.types.get(kind.base) if kind.base is not None else None
    return False


def filled_before(audit: Audit, table: Table) -> frozenset[str]:
    """Columns that a BEFORE INSERT row trigger of the table may set: their value in the INSERT is not the last word."""
    names: set[str] = set()
    for trigger in audit.catalog.triggers_by_table.get(table.oid, ()):
        if trigger.timing != "BEFORE" or "INSERT" not in trigger.events or not trigger.fires:
            continue
        facts = audit.bodies.get(trigger.function)
        if facts is None or facts.body is None:
            continue
        for statement in tree.walk(facts.body.block):
            targets: tuple[str, ...] = ()
            if isinstance(statement, tree.Assign):
                targets = (statement.target,)
            elif isinstance(statement, tree.Sql | tree.Execute):
                targets = statement.into
            for written in targets:
                record, _, field = written.lower().partition(".")
                if record == "new":
                    names.add(field.strip('"')) if field else names.update(table.by_name)
    return frozenset(names)
