"""The foreign keys that keep rows of an audited table from being deleted."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from trigger_audit.analysis.model import Deletion
from trigger_audit.auth.roles import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigger_audit.catalog.model import Catalog, Constraint, Table


def deletions(catalog: Catalog, tables: Sequence[Table]) -> tuple[Deletion, ...]:
    """Those in the deletion closure of each table: NO ACTION and RESTRICT (23503) on any table that CASCADE leads to,
    SET NULL on a NOT NULL column (23502), SET DEFAULT on a NOT NULL column without a default.

    Keys between Auth's own tables are Auth's business. A partition's clone of its parent's key is left out. A
    deferrable key is among them: it fails at commit, see `constraint.initially_deferred`. Order: breadth first, then by
    table and constraint name.
    """
    found: list[Deletion] = []
    for root in tables:
        found.extend(_closure(catalog, root))
    return tuple(found)


def _closure(catalog: Catalog, root: Table) -> list[Deletion]:
    found: list[Deletion] = []
    reached = {root.oid}
    waiting: deque[tuple[Table, tuple[str, ...]]] = deque([(root, (root.name,))])
    while waiting:
        parent, way = waiting.popleft()
        keys = sorted(
            catalog.referencing.get(parent.oid, ()), key=lambda pair: (pair[0].schema, pair[0].relation, pair[1].name)
        )
        for table, key in keys:
            if _is_clone(catalog, table, key) or not key.enforced:
                continue
            if key.on_delete == "c":
                if table.oid not in reached:
                    reached.add(table.oid)
                    waiting.append((table, (*way, table.name)))
                continue
            within_auth = table.schema == SCHEMA and parent.schema == SCHEMA
            if not within_auth and _blocks(table, key):
                found.append(Deletion(table, key, root, way))
    return found


def _is_clone(catalog: Catalog, table: Table, key: Constraint) -> bool:
    """Whether the table this is a partition of has the same key."""
    parent = catalog.tables.get(table.partition_of) if table.partition_of is not None else None
    return parent is not None and any(
        other.kind == "f" and other.references == key.references and set(other.columns) == set(key.columns)
        for other in parent.constraints
    )


def _blocks(table: Table, key: Constraint) -> bool:
    columns = [table.by_name[name] for name in key.columns if name in table.by_name]
    match key.on_delete:
        case "a" | "r":
            return True
        case "n":
            return any(column.not_null for column in columns)
        case "d":
            return any(column.not_null and not column.has_default for column in columns)
    return False
