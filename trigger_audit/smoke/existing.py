"""What must be there, or must not, before the flows begin: rows that foreign keys want, and the given address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg import Error, sql

from trigger_audit.auth.roles import INSTANCE_ID, SCHEMA
from trigger_audit.errors import TriggerAuditError

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.metadata import Reference
    from trigger_audit.smoke.samples import Rows
    from trigger_audit.smoke.session import Session


def rows_of(connection: Connection, references: Iterable[Reference]) -> Rows:
    """The first two keys of each referenced table as text, read as the outer role; none where it may not read them.

    A foreign key's target has a unique index, so that no table is read as a whole.
    """
    found: dict[Reference, tuple[str, ...]] = {}
    for reference in references:
        column = sql.Identifier(reference.column)
        statement = sql.SQL("SELECT {0}::pg_catalog.text FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} LIMIT 2").format(
            column, sql.Identifier(reference.schema, reference.table)
        )
        connection.execute("SAVEPOINT existing")
        try:
            connection.execute("SELECT pg_catalog.set_config('row_security', 'off', true)")
            found[reference] = tuple(row[0] for row in connection.execute(statement).fetchall())
        except Error:
            found[reference] = ()
        connection.execute("ROLLBACK TO SAVEPOINT existing")
        connection.execute("RELEASE SAVEPOINT existing")
    return found


def refuse_known_address(connection: Connection, session: Session, email: str) -> None:
    """TriggerAuditError where a user has the address already: no sign-up with it could be told from theirs.

    Both conditions have an index in Auth's schema.
    """
    connection.execute("SAVEPOINT existing")
    session.enter()
    row = connection.execute(
        sql.SQL(
            "SELECT EXISTS (SELECT FROM {users} WHERE email = %(email)s) OR EXISTS (SELECT FROM {users} "
            "WHERE instance_id = %(instance)s AND pg_catalog.lower(email::pg_catalog.text) = %(email)s)"
        ).format(users=sql.Identifier(SCHEMA, "users")),
        {"email": email, "instance": INSTANCE_ID},
    ).fetchone()
    connection.execute("ROLLBACK TO SAVEPOINT existing")
    connection.execute("RELEASE SAVEPOINT existing")
    if row is not None and row[0]:
        raise TriggerAuditError(
            f"{email} is the address of a user of this project already",
            "give --email an address that nobody has signed up with",
        )
