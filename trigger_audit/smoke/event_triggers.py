"""Event triggers of the database that refuse commands of ours: that is no failure of a flow.

They fire for CREATE FUNCTION and the like, also where it is rolled back: so for the functions that Auth's statements
run in, for switching triggers off, and for opening handlers. From 17 on a superuser's session has them off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from trigger_audit.resources import read_sql
from trigger_audit.smoke.context import frames

if TYPE_CHECKING:
    from psycopg import Connection, Error


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """An event trigger that fires in our session, and its function."""

    name: str
    schema: str
    function: str


def event_triggers(connection: Connection) -> tuple[EventTrigger, ...]:
    """Those that may refuse a command, in the order in which they fire."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(read_sql("smoke/event_triggers.sql")).fetchall()
    return tuple(EventTrigger(row["name"], row["schema_name"], row["function_name"]) for row in rows)


def refuser(known: Sequence[EventTrigger], error: Error) -> EventTrigger | None:
    """The event trigger whose function raised the error of a command, by its CONTEXT."""
    for frame in frames(error.diag.context):
        for trigger in known:
            if frame.may_be(trigger.schema, trigger.function):
                return trigger
    return None
