"""What the target has of Auth's tables, and which constraints a COMMIT checks; asked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

from trigger_audit.auth import FLOWS
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.auth.steps import Kind, Step
from trigger_audit.auth.tables import USERS_INSERT, USERS_UNLISTED
from trigger_audit.auth.versions import Span
from trigger_audit.errors import TriggerAuditError
from trigger_audit.resources import read_sql
from trigger_audit.smoke.event_triggers import refuser
from trigger_audit.smoke.model import By
from trigger_audit.smoke.release import look_at_version
from trigger_audit.smoke.session import pin_search_path

if TYPE_CHECKING:
    from psycopg import Connection, Error

    from trigger_audit.smoke.session import Session


@dataclass(frozen=True, slots=True)
class Target:
    """`columns` by table of schema auth; `deferred` are the constraints to defer again after a commit point.

    `unique` are the unique constraints of Auth's tables by name; `gaps` say what Auth writes and the target lacks.
    `versions` are those of Auth that it may be.
    """

    columns: dict[str, frozenset[str]]
    unique: frozenset[str]
    deferred: sql.Composed | None
    gaps: tuple[str, ...]
    versions: Span

    def has(self, step: Step) -> bool:
        return step.table in self.columns

    def usable(self, step: Step) -> frozenset[str]:
        """The columns that the statement can name: for a read of users those that Auth's model has."""
        there = self.columns[step.table]
        return there & frozenset((*USERS_INSERT, "confirmed_at")) if step.kind is Kind.RELOAD else there


def look_at_target(connection: Connection, session: Session) -> Target:
    """Reads the tables as Auth's role and the constraints as the outer one.

    TriggerAuditError where Auth's role may have no temporary function, where a superuser cannot become it, and where
    the role that runs the statements could not write Auth's tables at all: every flow would fail for a reason that is
    ours.
    """
    if session.by is By.APPROXIMATION and session.owners.needed:
        raise TriggerAuditError(
            f"the login is a superuser and cannot become {session.part.role} here: "
            "the triggers would run with a superuser's rights",
            f"log in as who owns {SCHEMA}.users, or as another role that is no superuser",
        )
    connection.execute("SAVEPOINT look")
    with connection.cursor(row_factory=dict_row) as cursor:
        constraints = cursor.execute(read_sql("smoke/constraints.sql")).fetchall()
        session.enter()
        tables = cursor.execute(read_sql("smoke/columns.sql")).fetchall()
        cursor.execute("ROLLBACK TO SAVEPOINT look")
        cursor.execute("RELEASE SAVEPOINT look")
    columns = {row["table_name"]: frozenset(row["columns"]) for row in tables}
    _prepare(session, sorted(columns.keys() & {"users", "identities", "one_time_tokens", "refresh_tokens", "sessions"}))
    versions = _version(session, tables)
    written = {step.table for flow in FLOWS for step in flow.steps}
    role = session.server.current_user
    for row in tables:
        refused = not row["writable"] or row["row_security"]
        if session.by is By.APPROXIMATION and row["table_name"] in written and refused:
            why = "row security applies to it" if row["writable"] else "it has not all rights on the table"
            raise TriggerAuditError(
                f"Auth's statements cannot be replayed as {role}: {SCHEMA}.{row['table_name']}, {why}",
                "log in as postgres, or as supabase_auth_admin",
            )
    names = [sql.Identifier(row["schema_name"], row["constraint_name"]) for row in constraints if row["nameable"]]
    stuck = [f"{row['schema_name']}.{row['constraint_name']}" for row in constraints if not row["nameable"]]
    return Target(
        columns,
        frozenset(name for row in tables for name in row["unique_constraints"]),
        sql.SQL("SET CONSTRAINTS {} DEFERRED").format(sql.SQL(", ").join(names)) if names else None,
        (
            *_missing(columns),
            *(
                f"{name} cannot be named in SET CONSTRAINTS: after the first commit it is checked at once"
                for name in stuck
            ),
        ),
        versions,
    )


def _version(session: Session, tables: Sequence[Mapping[str, Any]]) -> Span:
    session.connection.execute("SAVEPOINT look")
    session.enter()
    versions = look_at_version(session.sender, tables)
    session.connection.execute("ROLLBACK TO SAVEPOINT look")
    session.connection.execute("RELEASE SAVEPOINT look")
    return versions


def _prepare(session: Session, read: list[str]) -> None:
    """TriggerAuditError where Auth's role cannot have the functions that its statements run in: it lacks the right, or
    an event trigger refuses them."""
    from psycopg import Error

    session.enter()
    try:
        session.sender.prepare(read)
    except Error as error:
        refused = refused_functions(session, error)
        if refused is None:
            raise
        raise refused from None
    session.leave()
    pin_search_path(session.connection)


def refused_functions(session: Session, error: Error) -> TriggerAuditError | None:
    """In plain words why the role cannot have the functions that its statements run in, None for any other error."""
    role = session.part.role
    by = refuser(session.event_triggers, error)
    if by is not None:
        said = " ".join((error.diag.message_primary or "").split())
        return TriggerAuditError(
            f"event trigger {by.name} refuses CREATE FUNCTION ({said}), and smoke runs its statements in temporary "
            "functions",
            f"log in as {role}, or ALTER EVENT TRIGGER ... DISABLE for the time of the run",
        )
    if error.sqlstate != "42501":
        return None
    return TriggerAuditError(
        f"{role} may create no temporary functions in this database, and smoke runs its statements in such",
        f"GRANT TEMPORARY ON DATABASE ... TO {role}, or log in as {role}",
    )


def _missing(columns: dict[str, frozenset[str]]) -> tuple[str, ...]:
    tables: dict[str, set[str]] = {}
    for flow in FLOWS:
        for step in flow.steps:
            tables.setdefault(step.table, set()).update(step.columns)
    gaps = []
    for table in sorted(tables):
        if table not in columns:
            gaps.append(f"{SCHEMA}.{table} does not exist: its statements are left out")
        elif missing := sorted(tables[table] - columns[table] - set(USERS_UNLISTED)):
            gaps.append(f"{SCHEMA}.{table} has no column {', '.join(missing)}: left out")
    return tuple(gaps)
