"""A step as the SQL that Auth sends: unqualified quoted tables, every value a parameter."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from trigger_audit.auth.steps import Kind, Step
from trigger_audit.smoke.memory import Memory, parameter
from trigger_audit.smoke.sending import Read


def compose(step: Step, memory: Memory, columns: frozenset[str], *, upsert: bool) -> tuple[sql.Composed, list[object]]:
    """A writing statement and its parameters, without the columns that the target lacks.

    `upsert`: its constraint exists.
    """
    table = sql.Identifier(step.table)
    written = {c: v for c, v in memory.take(step).items() if c in columns}
    condition, found = _condition(step, memory, columns)
    match step.kind:
        case Kind.INSERT:
            return _insert(step, written, upsert=upsert), list(written.values())
        case Kind.UPDATE:
            assignments = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in written)
            update = sql.SQL("UPDATE {} AS {} SET {} WHERE {}").format(table, table, assignments, condition)
            return update, [*written.values(), *found]
        case _:
            return sql.SQL("DELETE FROM {} AS {} WHERE {}").format(table, table, condition), found


def compose_read(step: Step, memory: Memory, columns: frozenset[str]) -> Read:
    """A reading one: of a user's providers, or of the whole user."""
    condition, found = _condition(step, memory, columns)
    if step.kind is Kind.PROVIDERS:
        return Read(step.table, ("provider",), condition, found, sql.SQL(" ORDER BY created_at"))
    return Read(step.table, tuple(sorted(columns)), condition, found, sql.SQL(" LIMIT 1"))


def _condition(step: Step, memory: Memory, columns: frozenset[str]) -> tuple[sql.Composed, list[object]]:
    table = sql.Identifier(step.table)
    where = [condition for condition in step.where if condition.column in columns]
    condition = sql.SQL(" AND ").join(
        sql.SQL("{}.{} {} %s").format(table, sql.Identifier(c.column), sql.SQL("<>" if c.operator == "<>" else "="))
        for c in where
    )
    return condition, [parameter(memory.value(step.table, c.column, c.value)) for c in where]


def _insert(step: Step, written: Mapping[str, object], *, upsert: bool) -> sql.Composed:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(step.table),
        sql.SQL(", ").join(sql.Identifier(column) for column in written),
        sql.SQL(", ").join(sql.Placeholder() for _ in written),
    )
    if step.conflict is not None and upsert:
        statement += sql.SQL(" ON CONFLICT ON CONSTRAINT {} DO UPDATE SET updated_at = EXCLUDED.updated_at").format(
            sql.Identifier(step.conflict)
        )
    if step.returning is not None:
        statement += sql.SQL(" RETURNING {}").format(sql.Identifier(step.returning))
    return statement
