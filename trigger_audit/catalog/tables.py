"""Tables with their columns, indexes, constraints and policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from trigger_audit.catalog.model import Column, Constraint, Index, Policy, Table, Type
from trigger_audit.catalog.roles import role_name
from trigger_audit.catalog.rows import Row, Rows, definition, written
from trigger_audit.catalog.types import character_length

ColumnsOf: TypeAlias = Mapping[int, list[Column]]


def read_tables(
    rows: Rows, role_names: Mapping[int, str], types: Mapping[int, Type], modifiers: Mapping[int, int]
) -> dict[int, Table]:
    """The tables by oid, in the order of schema and name."""
    columns = _read_columns(rows, types, modifiers)
    indexes = _read_indexes(rows, columns)
    constraints = _read_constraints(rows, columns)
    policies = _read_policies(rows, role_names)
    tables: dict[int, Table] = {}
    shared: dict[str, str] = {}
    for oid, schema, relation, kind, owner, secured, forced, count, parent, server in rows("tables"):
        tables[oid] = Table(
            oid=oid,
            schema=shared.setdefault(schema, schema),
            relation=relation,
            kind=kind,
            owner=role_name(owner, role_names),
            columns=tuple(columns.get(oid, ())),
            indexes=tuple(indexes.get(oid, ())),
            constraints=tuple(constraints.get(oid, ())),
            policies=tuple(policies.get(oid, ())),
            row_security=secured,
            force_row_security=forced,
            rows=count,
            partition_of=parent,
            foreign_server=server,
        )
    return tables


def _read_columns(rows: Rows, types: Mapping[int, Type], modifiers: Mapping[int, int]) -> dict[int, list[Column]]:
    columns: dict[int, list[Column]] = {}
    # Many tables have the very same id, created_at, user_id ...: one object serves them all.
    shared: dict[Row, Column] = {}
    for table, *rest in rows("columns"):
        key = tuple(rest)
        column = shared.get(key)
        if column is None:
            column = shared[key] = _column(key, types, modifiers)
        columns.setdefault(table, []).append(column)
    return columns


def _column(row: Row, types: Mapping[int, Type], modifiers: Mapping[int, int]) -> Column:
    name, number, type_oid, type_name, modifier, not_null, default, identity, generated = row
    own_type = types.get(type_oid)
    if default is None and not identity and not generated and own_type is not None:
        # get_typdefault: a column without a default of its own takes its type's.
        default = own_type.default
    return Column(
        name=name,
        number=number,
        type_oid=type_oid,
        type_name=type_name,
        type_modifier=modifier,
        length=character_length(type_oid, modifier, types, modifiers),
        not_null=not_null,
        default=written(default),
        identity=identity,
        generated=generated,
    )


def _read_indexes(rows: Rows, columns: ColumnsOf) -> dict[int, list[Index]]:
    indexes: dict[int, list[Index]] = {}
    for (
        table,
        name,
        unique,
        primary,
        exclusion,
        valid,
        immediate,
        numbers,
        expressions,
        predicate,
        full,
    ) in rows("indexes"):
        names = {column.number: column.name for column in columns.get(table, ())}
        indexes.setdefault(table, []).append(
            Index(
                name=name,
                unique=unique,
                primary=primary,
                exclusion=exclusion,
                valid=valid,
                immediate=immediate,
                columns=tuple(names.get(number) for number in numbers),
                expressions=tuple(definition(text) for text in expressions or ()),
                predicate=written(predicate),
                definition=definition(full),
            )
        )
    return indexes


def _read_constraints(rows: Rows, columns: ColumnsOf) -> dict[int, list[Constraint]]:
    constraints: dict[int, list[Constraint]] = {}
    for (
        table,
        name,
        kind,
        numbers,
        references,
        referenced,
        on_delete,
        on_update,
        deferrable,
        deferred,
        validated,
        enforced,
        full,
    ) in rows("constraints"):
        constraints.setdefault(table, []).append(
            Constraint(
                name=name,
                kind=kind,
                columns=_column_names(numbers, columns.get(table, ())),
                references=references,
                referenced_columns=_column_names(referenced, columns.get(references, ())),
                on_delete=on_delete,
                on_update=on_update,
                deferrable=deferrable,
                initially_deferred=deferred,
                validated=validated,
                definition=definition(full),
                enforced=enforced,
            )
        )
    return constraints


def _column_names(numbers: list[int] | None, columns: Iterable[Column]) -> tuple[str, ...]:
    """The names in the order of `numbers`; system columns (a CHECK over tableoid) are left out."""
    if not numbers:
        return ()
    names = {column.number: column.name for column in columns}
    return tuple(names[number] for number in numbers if number in names)


def _read_policies(rows: Rows, role_names: Mapping[int, str]) -> dict[int, list[Policy]]:
    policies: dict[int, list[Policy]] = {}
    for table, name, permissive, command, roles, using, with_check in rows("policies"):
        policies.setdefault(table, []).append(
            Policy(
                name=name,
                permissive=permissive,
                command=command,
                roles=() if 0 in roles else tuple(sorted(role_name(role, role_names) for role in roles)),
                using=written(using),
                with_check=written(with_check),
            )
        )
    return policies
