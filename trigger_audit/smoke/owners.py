"""Does as an object's owner what touches the object, where the login would do it with a superuser's rights.

PostgreSQL runs code of a database's users also where no trigger fires: a domain's CHECK when the literal of an array of
that domain is parsed, a function in an index's predicate or expression when a query on the table is planned, whoever
asks. So a superuser's session reads and changes a project's objects as their owners do, and in a function as in
`sending`, which no code leaves. What a superuser owns is left alone, unless nothing but PostgreSQL's own code can run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from psycopg import Error, sql
from psycopg.rows import dict_row

from trigger_audit.resources import read_sql
from trigger_audit.smoke.model import By
from trigger_audit.smoke.sending import Confined, Plain, Sender, Settings

if TYPE_CHECKING:
    from trigger_audit.smoke.session import Session


class Withheld(Exception):
    """A superuser's login must not touch this; the text is the reason, and goes on after the object's name."""


class Owners:
    """The ways of one session. `needed`: the session, or code that runs in it, can have a superuser's rights."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._senders: dict[str, Confined] = {}
        self.needed = session.server.reaches_superuser

    @contextmanager
    def reading(self, schema: str, relation: str) -> Iterator[Sender]:
        """For reads of a table, as its present owner, or as the outer role where that is no superuser's.

        Withheld where there is no way. The session must be the outer role, with nothing but pg_temp on its path.
        """
        with self._session.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(read_sql("smoke/owner.sql"), {"schema": schema, "relation": relation})
            row = cursor.fetchone()
        if row is None or row["kind"] not in ("r", "p"):
            raise Withheld("is no table any more")
        if self.needed and row["owner"] is not None:
            with self.acting_as(row["owner"]) as sender:
                yield sender
        elif row["plain"] or not self.needed:
            yield Plain(self._session.connection, self._settings)
        else:
            raise Withheld("is a superuser's, and reading it runs code with a superuser's rights")

    @contextmanager
    def acting_as(self, owner: str | None) -> Iterator[Sender]:
        """For statements as this role, in a savepoint that an error rolls back to; None is the outer role itself."""
        session = self._session
        if owner is None:
            yield Plain(session.connection, self._settings)
            return
        session.connection.execute("SAVEPOINT owner")
        try:
            self.become(owner)
            yield self.sender(owner)
            session.leave()
            session.connection.execute("RELEASE SAVEPOINT owner")
        except Error:
            if not session.connection.closed:
                session.connection.execute("ROLLBACK TO SAVEPOINT owner")
                session.connection.execute("RELEASE SAVEPOINT owner")
            raise

    def sender(self, owner: str) -> Confined:
        """That of a role that the session has become."""
        if owner not in self._senders:
            self._senders[owner] = Confined(self._session.connection, self._settings)
        return self._senders[owner]

    def prepare(self, owners: Iterable[str | None]) -> None:
        """Makes the function of each once, outside of savepoints; who may have none is refused when it is needed."""
        for owner in dict.fromkeys(owners):
            if owner is not None:
                with suppress(Error), self.acting_as(owner) as sender:
                    sender.prepare(())

    def become(self, role: str) -> None:
        how = "SESSION AUTHORIZATION" if self._session.by is By.SESSION_AUTHORIZATION else "ROLE"
        self._session.connection.execute(sql.SQL("SET LOCAL {} {}").format(sql.SQL(how), sql.Identifier(role)))

    def looker(self) -> str | None:
        """A role that can see whether rows of auth.users are left, None where there is none but superusers."""
        row = self._session.connection.execute(read_sql("smoke/looker.sql"), {}).fetchone()
        return None if row is None else str(row[0])
