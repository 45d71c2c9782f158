"""Which tables' triggers are audited."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from trigger_audit.catalog.model import Catalog, Table
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.visible import plain


class NoUsersTable(TriggerAuditError):
    """There is no auth.users, and nothing else was asked for."""


_NAME = re.compile(r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^".]+))(?P<rest>\.(?=.)|$)', re.DOTALL)


def audited_tables(catalog: Catalog, tables: Sequence[str] = (), all_tables: bool = False) -> tuple[Table, ...]:
    """auth.users and every other table of schema auth that carries a user's trigger, then what was asked for.

    `tables` are names as in SQL: `schema.table` or `table`, parts quoted or not. An unquoted part means the table that
    is spelt so, else the one in lower case. Without a schema it is public's table, else the only one of that name.
    `all_tables` adds every table and view with triggers. auth.users comes first, then auth's others by name, then those
    asked for in their order, then the rest by name; none comes twice.

    Raises:
        UsageError: a name that is none, or that means several tables.
        TriggerAuditError: there is no such table.
        NoUsersTable: nothing was asked for and there is no auth.users.
    """
    users = catalog.tables_by_name.get(("auth", "users"))
    if users is None and not tables and not all_tables:
        raise NoUsersTable(
            "no auth.users here", "scan takes --table schema.table or --all-tables, smoke takes --statement FILE"
        )
    with_triggers = sorted((catalog.tables[oid] for oid in catalog.triggers_by_table), key=_sort_key)
    found = [users] if users is not None else []
    found += [table for table in with_triggers if table.schema == "auth"]
    found += [_named(catalog, name) for name in tables]
    if all_tables:
        found += with_triggers
    return tuple({table.oid: table for table in found}.values())


def _sort_key(table: Table) -> tuple[str, str]:
    return table.schema, table.relation


def _named(catalog: Catalog, name: str) -> Table:
    parts = _parts(name)
    if not 1 <= len(parts) <= 2:
        raise UsageError(f"{plain(name)} is no table name", 'write schema.table, with "..." around unusual names')
    # Composite types are relations too, but nothing can be inserted into one.
    candidates = [table for table in catalog.tables.values() if table.kind != "c"]
    *schema, (relation, folded) = parts
    for spelling in dict.fromkeys((relation, folded)):
        same = [table for table in candidates if table.relation == spelling]
        if schema:
            same = [table for at in schema[0] for table in same if table.schema == at][:1]
        else:
            same = [table for table in same if table.schema == "public"] or same
        if len(same) == 1:
            return same[0]
        if same:
            choices = ", ".join(plain(table.sql) for table in sorted(same, key=_sort_key))
            raise UsageError(f"table {plain(name)} is in several schemas", f"name one of {choices}")
    raise TriggerAuditError(f"there is no table {plain(name)}", _nearest(candidates, parts))


def _parts(name: str) -> list[tuple[str, str]]:
    """The parts of a name, each as written and as PostgreSQL folds it; [] for what is no name."""
    parts: list[tuple[str, str]] = []
    position = 0
    while position < len(name):
        match = _NAME.match(name, position)
        if match is None:
            return []
        quoted, plain = match["quoted"], match["plain"]
        if quoted is not None:
            part = quoted.replace('""', '"')
            parts.append((part, part))
        elif plain.strip():
            parts.append((plain.strip(), plain.strip().lower()))
        else:
            return []
        position = match.end()
    return parts


def _nearest(candidates: Sequence[Table], parts: Sequence[tuple[str, str]]) -> str:
    """A remedy that names up to three tables of a close name, those in the schema that was written first."""
    schema = parts[0][1] if len(parts) > 1 else "public"
    relations: dict[str, list[Table]] = {}
    for table in sorted(candidates, key=lambda table: (table.schema.lower() != schema, *_sort_key(table))):
        relations.setdefault(table.relation.lower(), []).append(table)
    close = difflib.get_close_matches(parts[-1][1], relations, n=3)
    near = [table for relation in close for table in relations[relation]][:3]
    if not near:
        return "use --all-tables to audit every table that has triggers"
    return "did you mean " + " or ".join(plain(table.sql) for table in near) + "?"
