"""What a COMMIT of Auth would end, while all requests of an attempt share one transaction here.

Auth answers each request with a transaction of its own, and some with two. Here there is one for all of them, which is
rolled back. So at each of Auth's commits, what would end there is ended as far as it can be known (`Endings`):
temporary tables that are dropped or emptied, parameters set for the transaction, cursors. What cannot be
ended is the transaction's time and id: now() gives every request the same. A failure that this may be behind gives no
verdict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import Error, sql
from psycopg.rows import dict_row

from trigger_audit.resources import read_sql
from trigger_audit.smoke.endings import Endings, look_at_endings
from trigger_audit.smoke.settings import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

    from trigger_audit.smoke.session import Session

SAME_TIME = "a row of an earlier request holds the same now(), for all requests are one transaction here"
LEFT_TABLE = "a temporary table of an earlier request is still there, for all requests are one transaction here"
STILL_READ_ONLY = "an earlier request has made the transaction read-only, and all requests are one transaction here"

SHARED = frozenset({SAME_TIME, LEFT_TABLE, STILL_READ_ONLY})
"""Reasons of failures that Auth's requests would not have, each in a transaction of its own."""

_OURS = re.compile(r"transaction_|session_authorization$|role$")
"""Parameters that are not reset with the others: they cannot be, or `Session` alone sets them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is the same for everything in one transaction: now(), as microseconds since 1970, and its id."""

    microseconds: int
    transaction: str

    def found_in(self, text: str) -> int:
        """How many times the text names it: as a time of the clock with seconds, as a number of seconds since 1970 or
        of thousandths or millionths of them, as digits, or as the transaction's id."""
        return sum(1 for _ in self._pattern().finditer(text))

    def _pattern(self) -> re.Pattern[str]:
        """Of a time of the clock hours are left out, and quarters of an hour: they go by the time zone."""
        clock, numbers = set(), {str(self.microseconds)}
        for digits in range(7):
            unit = 10 ** (6 - digits)
            for value in {self.microseconds // unit, (self.microseconds + unit // 2) // unit}:
                seconds, fraction = divmod(value, 10**digits)
                minute, second = divmod(seconds % 3600, 60)
                minutes = "|".join(f"{(minute + 15 * quarter) % 60:02}" for quarter in range(4))
                shown = f"{fraction:0{digits}}".rstrip("0") if digits else ""
                after = rf"\.{shown}" if shown else ""
                clock.add(rf"\d\d:(?:{minutes}):{second:02}{after}")
                numbers.add(f"{seconds}{after}")
                numbers.add(rf"\d{{10}}(?:{minutes}){second:02}" + (rf"\.?{fraction:0{digits}}" if digits else ""))
                if digits == 3:
                    numbers.add(str(value))
        end = r"(?!\d|\.\d)"
        return re.compile(
            rf"(?<!\d)(?:{'|'.join(clock)}){end}"
            rf"|(?<![\d.])(?:{'|'.join(numbers)}){end}"
            # It may have few digits, and they may be part of a UUID.
            rf"|(?<![\w.-]){re.escape(self.transaction)}(?![\w-]|\.\d)"
        )


@dataclass(frozen=True, slots=True)
class Shared:
    """What is asked once a transaction: `timed_keys` are unique indexes (schema, name) whose key has a time."""

    endings: Endings
    moment: Moment
    timed_keys: frozenset[tuple[str, str]]


def look_at_shared(connection: Connection) -> Shared:
    """As the outer role, before code of the database's users has run."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(read_sql("smoke/moment.sql")).fetchone()
        assert row is not None
        keys = cursor.execute(read_sql("smoke/timed_keys.sql")).fetchall()
    return Shared(
        look_at_endings(connection),
        Moment(row["microseconds"], row["transaction"]),
        frozenset((key["schema_name"], key["index_name"]) for key in keys),
    )


class Requests:
    """Those of one attempt. The session is Auth's role whenever a method is called."""

    def __init__(self, session: Session, shared: Shared) -> None:
        self._session = session
        self._shared = shared
        self._before: Mapping[str, str] | None = None
        self._left: set[str] = set()
        self._read_only = False
        self.committed = False
        """Whether a request before the present one, or a part of it, has ended with a COMMIT of Auth."""

    def begin(self) -> None:
        """Before the first statement of a request."""
        if self._before is None and self._shared.endings.any:
            self._before = {name: value for kind, name, value, _ in self._found() if kind in ("parameter", "named")}

    def interrupt(self) -> None:
        """After smoke itself has set parameters between requests."""
        self._before = None

    def commit(self) -> None:
        """Where Auth commits, after all that is deferred: ends what would end there."""
        self.committed = True
        if not self._shared.endings.any:
            return
        found, before = self._found(), self._before or {}
        endings = self._shared.endings
        values = {name: value for kind, name, value, _ in found if kind in ("parameter", "named")}
        at_first = {name: more for kind, name, _, more in found if kind in ("parameter", "named")}
        reset = {
            name: before.get(name, at_first[name])
            for name, value in values.items()
            if before.get(name, at_first[name]) != value and endings.resets(name) and not _OURS.match(name)
        }
        tables = [
            (name, owner, sql.SQL("DROP TABLE pg_temp.{} CASCADE" if endings.drops(name) else "TRUNCATE pg_temp.{}"))
            for kind, name, owner, has_triggers in found
            if kind == "table" and (endings.drops(name) or (endings.empties(name) and has_triggers == "false"))
        ]
        self._read_only = ("read-only", "", "on", "") in found
        if any(kind == "cursor" for kind, *_ in found):
            self._session.connection.execute("CLOSE ALL")
        if tables or reset:
            self._session.leave()
            for name, owner, statement in tables:
                self._end(name, owner, statement)
            if reset:
                self._reset(reset)
            self._session.enter()
        self._before = {**values, **reset}

    def _reset(self, values: Mapping[str, str]) -> None:
        """As the outer role. What it may not set stays as it is."""
        connection = self._session.connection
        connection.execute("SAVEPOINT ending")
        try:
            connection.execute(setting(values))
        except Error:
            if connection.closed:
                raise
            connection.execute("ROLLBACK TO SAVEPOINT ending")
        connection.execute("RELEASE SAVEPOINT ending")

    def _end(self, name: str, owner: str, statement: sql.SQL) -> None:
        """As the table's owner, in a function of his, where the login has a superuser's rights."""
        connection, owners = self._session.connection, self._session.owners
        connection.execute("SAVEPOINT ending")
        try:
            with owners.acting_as(owner if owners.needed else None) as sender:
                sender.run(statement.format(sql.Identifier(name)).as_string(connection))
        except Error:
            if connection.closed:
                raise
            self._left.add(name)
            connection.execute("ROLLBACK TO SAVEPOINT ending")
        connection.execute("RELEASE SAVEPOINT ending")

    def _found(self) -> list[tuple[str, str, str, str]]:
        parameters = {"names": self._shared.endings.custom}
        rows = self._session.connection.execute(read_sql("smoke/request.sql"), parameters).fetchall()
        return [(str(kind), str(name), value or "", more or "") for kind, name, value, more in rows]

    def doubt(self, error: Error) -> str | None:
        """Why the error gives no verdict: it may come of what the request shares with an earlier one here."""
        if not self.committed:
            return None
        said = error.diag
        detail, message = said.message_detail, said.message_primary or ""
        moment = self._shared.moment
        if error.sqlstate == "23505":
            key = (said.schema_name or "", said.constraint_name or "")
            if key in self._shared.timed_keys if detail is None else moment.found_in(detail):
                return SAME_TIME
        # A CHECK that wants one time to be later than another.
        if error.sqlstate == "23514" and moment.found_in(detail or "") > 1:
            return SAME_TIME
        if error.sqlstate == "42P07" and any(name in message for name in self._left):
            return LEFT_TABLE
        if error.sqlstate == "25006" and self._read_only:
            return STILL_READ_ONLY
        return None
