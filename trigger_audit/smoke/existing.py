"""What must be there, or must not, before the flows begin: rows that foreign keys want, and the given address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg import Error, sql

from trigger_audit.auth.roles import INSTANCE_ID
from trigger_audit.errors import TriggerAuditError
from trigger_audit.smoke.owners import Withheld
from trigger_audit.smoke.sending import Read
from trigger_audit.smoke.settings import setting

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.metadata import Reference
    from trigger_audit.smoke.samples import Rows
    from trigger_audit.smoke.session import Session


def rows_of(connection: Connection, session: Session, references: Iterable[Reference]) -> Rows:
    """The first two keys of each referenced table as text, as `Owners.reading` reads it; none where it may not.

    A foreign key's target has a unique index, so that no table is read as a whole. concat takes the type's output,
    where a cast may be a function of its owner's.
    """
    found: dict[Reference, tuple[str, ...]] = {}
    for reference in references:
        column = sql.Identifier(reference.column)
        statement = sql.SQL(
            "SELECT ARRAY[pg_catalog.concat({0})] FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} LIMIT 2"
        ).format(column, sql.Identifier(reference.schema, reference.table))
        connection.execute("SAVEPOINT existing")
        try:
            connection.execute(setting({"row_security": "off"}))
            with session.owners.reading(reference.schema, reference.table) as sender:
                found[reference] = tuple(str(text) for [text] in sender.texts(statement, None))
        except (Error, Withheld):
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
    rows = session.sender.read(Read("users", ("id",), sql.SQL("email = %s"), (email,)))
    condition = sql.SQL("instance_id = %s AND lower(email) = %s")
    rows += session.sender.read(Read("users", ("id",), condition, (INSTANCE_ID, email)))
    connection.execute("ROLLBACK TO SAVEPOINT existing")
    connection.execute("RELEASE SAVEPOINT existing")
    if rows:
        raise TriggerAuditError(
            f"{email} is the address of a user of this project already",
            "give --email an address that nobody has signed up with",
        )
