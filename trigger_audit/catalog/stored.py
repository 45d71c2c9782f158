"""What PostgreSQL runs without a function's body: the expressions that objects store, and functions behind objects.

Defaults, generated columns, constraints, policies, indexes, rules and views, WHEN conditions; operators, casts,
aggregates, ranges, operator classes, event triggers. Only smoke needs it, so scan does not load it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trigger_audit.catalog.rows import Row, schema_changed, written
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.catalog.model import Catalog


@dataclass(frozen=True, slots=True)
class Stored:
    """One expression and the oids of the functions, relations and types in it.

    `kind` is default, generated, constraint, domain constraint, domain default, policy, index, rule, trigger, partition
    key or argument default. `owner` is the oid of the table (of the domain, of the function), `name` the column's,
    constraint's ... own. `command`: pg_policy.polcmd, pg_rewrite.ev_type, pg_trigger.tgtype, attgenerated.
    `definition` is a rule's text, None for a view's own.
    """

    kind: str
    owner: int
    name: str
    command: str
    functions: tuple[int, ...]
    relations: tuple[int, ...]
    types: tuple[int, ...]
    definition: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind` is pg_class.relkind, `table` the one that an index is on."""

    oid: int
    schema: str
    name: str
    kind: str
    table: int | None


@dataclass(frozen=True, slots=True)
class Behind:
    """A snapshot of the same moment as the catalog's.

    `by_owner` holds the stored expressions of a table, domain or function. `names` gives (schema, name) of the
    functions in them that the catalog does not hold: built-in ones and extensions'. `operators` are (symbol, function),
    `casts` (target type's name, function), both of users and extensions.
    `supports` are the functions behind
    an aggregate, range or table (its indexes' operator classes). `events` are event triggers: (name, function).
    `sequences` fill columns by themselves: (table, column) -> sequences' oids. `programs` are file_fdw's foreign tables
    whose rows are what a program writes.
    """

    by_owner: Mapping[int, tuple[Stored, ...]]
    names: Mapping[int, tuple[str, str]]
    operators: tuple[tuple[str, int], ...]
    casts: tuple[tuple[str, int], ...]
    supports: Mapping[int, tuple[int, ...]]
    events: tuple[tuple[str, int], ...]
    children: Mapping[int, tuple[int, ...]]
    sequences: Mapping[tuple[int, str], tuple[int, ...]]
    programs: frozenset[int]
    relations: Mapping[int, Relation]
    relations_by_name: Mapping[tuple[str, str], Relation]


def load_stored(connection: Connection[Any], catalog: Catalog) -> Behind:
    """Read in the transaction in which the catalog was loaded, with four queries however much there is.

    Raises:
        TriggerAuditError: another session changed the schema in the middle of it.
        psycopg.Error: the server refused a query.
    """
    from psycopg.errors import InternalError_
    from psycopg.rows import tuple_row

    try:
        with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(read_sql("catalog/session.sql"))
            stored = [_stored(row) for row in cursor.execute(read_sql("hazards/expressions.sql"))]
            links: list[Row] = cursor.execute(read_sql("hazards/links.sql")).fetchall()
            relations = [Relation(*row) for row in cursor.execute(read_sql("hazards/relations.sql"))]
            named = {oid for each in stored for oid in each.functions}
            named.update(target for kind, *_, target in links if kind not in ("child", "sequence", "program"))
            unknown = sorted(named - catalog.functions.keys())
            names = {
                oid: (schema, name)
                for oid, schema, name in cursor.execute(read_sql("hazards/named_functions.sql"), {"oids": unknown})
            }
    except InternalError_ as error:
        raise schema_changed() from error
    by_owner: dict[int, list[Stored]] = {}
    for each in stored:
        by_owner.setdefault(each.owner, []).append(each)
    sequences: dict[tuple[int, str], list[int]] = {}
    for kind, source, name, target in links:
        if kind == "sequence":
            sequences.setdefault((source, name), []).append(target)
    return Behind(
        by_owner={oid: tuple(found) for oid, found in by_owner.items()},
        names=names,
        operators=tuple((name, target) for kind, _, name, target in links if kind == "operator"),
        casts=tuple((name, target) for kind, _, name, target in links if kind == "cast"),
        supports=_targets(links, "aggregate", "range", "index"),
        events=tuple((name, target) for kind, _, name, target in links if kind == "event"),
        children=_targets(links, "child"),
        sequences={key: tuple(found) for key, found in sequences.items()},
        programs=frozenset(source for kind, source, *_ in links if kind == "program"),
        relations={relation.oid: relation for relation in relations},
        relations_by_name={(relation.schema, relation.name): relation for relation in relations},
    )


def _stored(row: Row) -> Stored:
    kind, owner, name, command, functions, relations, types, rule = row
    return Stored(kind, owner, name, command, tuple(functions), tuple(relations), tuple(types), written(rule))


def _targets(links: list[Row], *kinds: str) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for kind, source, _, target in links:
        if kind in kinds:
            found.setdefault(source, []).append(target)
    return {source: tuple(targets) for source, targets in found.items()}
