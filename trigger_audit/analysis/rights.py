"""Which columns of the written tables grant something, and how a user's rows are found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.analysis.calls import sql_of
from trigger_audit.analysis.granting import GRANTING
from trigger_audit.auth.roles import SCHEMA

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Cascade
    from trigger_audit.catalog.model import Catalog, Column, Table

MOST_ROWS_UNINDEXED = 100_000
"""reltuples beyond which a table is not searched without an index."""

_OWNERS = frozenset(("id", "user_id", "profile_id", "owner_id", "account_id", "member_id", "auth_id", "uid", "sub"))
_IDENTIFIER_TYPES = frozenset(("uuid", "text", "varchar"))


@dataclass(frozen=True, slots=True)
class RightsTable:
    """`columns` grant something; a user's rows have the id in one of `owners`.

    `unsearched` are owners that have no index in a table too large to be read as a whole.
    """

    schema: str
    relation: str
    columns: tuple[str, ...]
    owners: tuple[str, ...]
    unsearched: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.relation}"


def rights_tables(cascade: Cascade, catalog: Catalog) -> tuple[RightsTable, ...]:
    """The tables that the cascade inserts into or updates, auth.users apart, by name."""
    written: dict[int, Table] = {}
    for site in cascade.sites:
        for sql in sql_of(site, catalog):
            for write in sql.writes:
                table = catalog.table(write.target.schema, write.target.name, site.visit.search_path)
                if write.kind in ("INSERT", "UPDATE", "MERGE") and table is not None and table.kind in ("r", "p"):
                    written[table.oid] = table
    found = [
        _of_table(table, catalog, frozenset(written))
        for table in written.values()
        if not (table.schema == SCHEMA and table.relation == "users")
    ]
    return tuple(sorted((table for table in found if table is not None), key=lambda table: table.name))


def _of_table(table: Table, catalog: Catalog, written: frozenset[int]) -> RightsTable | None:
    granting = tuple(column.name for column in table.columns if GRANTING.match(column.name.lower()))
    owners = [column.name for column in table.columns if _identifies(column, table, catalog, written)]
    if not granting or not owners:
        return None
    indexed = {index.columns[0] for index in table.indexes if index.columns and index.valid and index.predicate is None}
    small = table.rows <= MOST_ROWS_UNINDEXED
    return RightsTable(
        table.schema,
        table.relation,
        granting,
        tuple(name for name in owners if small or name in indexed),
        tuple(name for name in owners if not small and name not in indexed),
    )


def _identifies(column: Column, table: Table, catalog: Catalog, written: frozenset[int]) -> bool:
    """Whether a user's id may stand in it: a key to the users or to a written table, the primary key, a usual name."""
    kind = catalog.types.get(column.type_oid)
    if kind is None or kind.name not in _IDENTIFIER_TYPES:
        return False
    for constraint in table.constraints:
        if constraint.columns != (column.name,):
            continue
        there = catalog.tables.get(constraint.references or 0)
        to_users = there is not None and there.schema == SCHEMA and there.relation == "users"
        if constraint.kind == "p" or (constraint.kind == "f" and (to_users or constraint.references in written)):
            return True
    return column.name in _OWNERS
