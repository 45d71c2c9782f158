"""Sends Auth's statements, where need be so that code of the database's users cannot leave Auth's role in them.

A session that became Auth's role by SET SESSION AUTHORIZATION or SET ROLE can go back, and so can a trigger that it
fires: it would have the rights of the login, and a superuser's COPY ... TO PROGRAM starts programs. No reading of texts
can exclude that. PostgreSQL does: within a SECURITY DEFINER function it refuses to set `role` and
`session_authorization` (42501; guc_tables.c, GUC_NOT_WHILE_SEC_REST), in whatever way and however deep inside, also to
deferred triggers that SET CONSTRAINTS fires there. So each statement that can run such code runs in a function that
Auth's role owns, and that is made just before the call, whatever a trigger has made of the last one. (What PostgreSQL
does not let be replaced, and an overload that makes the call ambiguous, are errors and run nothing.)

Nothing but what this module sends may run as Auth's role once user code has run: search_path, temporary tables and
every setting may then be a trigger's. What is sent outside of the function names everything by its schema, operators
too. An event trigger of the database would run outside of it, for CREATE FUNCTION: in a sandbox they are disabled, and
from 17 on a superuser's session has them off. Before, one runs as for every command of that superuser.

Behind each statement, in the same message, the settings that are ours are set again: a trigger may have left a time-out
of a millisecond, in which nothing of ours could run, or an encoding that Python does not know. Others stay as triggers
leave them, for Auth's next statements run under them too. No literal needs standard_conforming_strings: libpq writes
E'' where there is a backslash. For a read the style of times is ours until it is over.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString, Protocol, TypeAlias

from psycopg import ClientCursor, sql
from psycopg.rows import dict_row

from trigger_audit.auth.roles import SCHEMA
from trigger_audit.smoke.settings import setting
from trigger_audit.smoke.times import READABLE, open_cursor

if TYPE_CHECKING:
    from psycopg import Connection, Cursor, Error

_Sql: TypeAlias = sql.SQL | sql.Composed

_Parameters: TypeAlias = Sequence[object] | Mapping[str, object] | None

Settings: TypeAlias = Callable[[], Mapping[str, str]]

_FUNCTION = sql.SQL(
    "CREATE OR REPLACE FUNCTION pg_temp.{name}({outputs}) {returns} LANGUAGE plpgsql SECURITY DEFINER AS {body}; "
    "{between}SELECT {columns} FROM pg_temp.{name}(); "
)
_NOTHING = sql.SQL("")
_READ_ONLY = sql.SQL("SET TRANSACTION READ ONLY; ")
_CLOSING = 3
"""Characters with which a language closes a quotation in CONTEXT: one, and a blank or two in front of it."""

_ROLE_REFUSED = re.compile(r"[\"'«»“„‘]\s?(?:role|session_authorization)\s?[\"'«»”“’]")
"""The parameter's name in the message, in whatever language: they differ in the quotation marks too."""

_SETTINGS_SOURCE = "guc.c"
"""The file of PostgreSQL that refuses to set a parameter. What RAISE and row security say comes from others, and no
code of a database's users can give another file for it."""


@dataclass(frozen=True, slots=True)
class Read:
    """A SELECT from one of Auth's tables.

    `condition` has placeholders for the parameters, `rest` is what follows it.
    """

    table: str
    columns: tuple[str, ...]
    condition: _Sql
    parameters: Sequence[object]
    rest: _Sql | None = None

    def statement(self, columns: _Sql) -> sql.Composed:
        table = sql.Identifier(self.table)
        return sql.SQL("SELECT {} FROM {} AS {} WHERE {}{}").format(
            columns, table, table, self.condition, self.rest or _NOTHING
        )


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows a statement wrote, and the value that came back from the one, None where none did."""

    rows: int
    returned: object = None


class Sender(Protocol):
    """psycopg.Error from every method but `context` where the server refuses.

    `started` is when the last statement was sent, by time.monotonic().
    """

    started: float

    def prepare(self, tables: Iterable[str]) -> None:
        """Once in the transaction, as Auth's role, before savepoints: for reading these tables."""

    def write(self, statement: _Sql, parameters: Sequence[object], *, returning: bool = False) -> Written: ...

    def run(self, text: str) -> int:
        """A whole statement as it stands; how many rows it touched."""

    def read(self, read: Read) -> list[dict[str, Any]]: ...

    def texts(self, statement: _Sql, parameters: _Parameters, *, for_good: bool = False) -> list[list[str | None]]:
        """What a query of one column, an array of texts, gives: so that no type of the database's comes out.

        `for_good`: the transaction can only read from here on.
        """

    def context(self, error: Error) -> str | None:
        """The error's CONTEXT without the frames that this module adds."""

    def refuses_role(self, error: Error) -> bool:
        """Whether the error is that code inside wanted to change the role."""

    def reached(self, error: Error) -> bool:
        """Whether it is Auth's statement that failed, and not what this module does around it."""


class Plain:
    """As Auth sends them, but for the values, which are literals as in `Confined`: for a login that has no other rights
    to go back to. `settings` are set again after each statement.
    """

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._cursor: Cursor[Any] = open_cursor(connection, dict_row)
        self.started = 0.0

    def prepare(self, tables: Iterable[str]) -> None:
        pass

    def write(self, statement: _Sql, parameters: Sequence[object], *, returning: bool = False) -> Written:
        self._send(_with_values(self._connection, statement, parameters))
        row: Mapping[str, object] | None = self._cursor.fetchone() if returning else None
        return Written(self._cursor.rowcount, None if row is None else next(iter(row.values())))

    def run(self, text: str) -> int:
        self._send(text)
        return self._cursor.rowcount

    def read(self, read: Read) -> list[dict[str, Any]]:
        table = sql.Identifier(read.table)
        columns = sql.SQL(", ").join(sql.SQL("{}.{}").format(table, sql.Identifier(name)) for name in read.columns)
        unreadable = _unreadable(self._connection)
        if unreadable:
            self._connection.execute(setting({name: READABLE[name] for name in unreadable}))
        self._send(_with_values(self._connection, read.statement(columns), read.parameters), unreadable)
        return self._cursor.fetchall()

    def texts(self, statement: _Sql, parameters: _Parameters, *, for_good: bool = False) -> list[list[str | None]]:
        if for_good:
            self._connection.execute(_READ_ONLY)
        self._send(_with_values(self._connection, statement, parameters))
        return [next(iter(row.values())) for row in self._cursor.fetchall()]

    def _send(self, text: str, restored: Mapping[str, str] | None = None) -> None:
        """One message: psycopg could not even encode the next one where a trigger has left an unknown encoding."""
        behind = setting({**self._settings(), **(restored or {})}).as_string(self._connection)
        self.started = time.monotonic()
        self._cursor.execute(f"{text}\n;{behind}".encode(self._connection.info.encoding))

    def context(self, error: Error) -> str | None:
        return error.diag.context

    def refuses_role(self, error: Error) -> bool:
        return False

    def reached(self, error: Error) -> bool:
        return True


class Confined:
    """In a SECURITY DEFINER function each, as the role that the session is now: it becomes the owner.

    Values are literals of no type where they are texts, so that they take the column's type as parameters do.
    `settings` are set again after each statement.
    """

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self._cursor: Cursor[Any] = open_cursor(connection, dict_row)
        self._prefix = f"trigger_audit_{secrets.token_hex(8)}_"
        self._name = ""
        self._text = ""
        self.started = 0.0

    def prepare(self, tables: Iterable[str]) -> None:
        """Makes each function once: PL/pgSQL keeps what it compiles by oid for the life of a session, and replacing
        frees it, but for an oid that a savepoint has taken back."""
        self.write(sql.SQL("SELECT"), ())
        for table in tables:
            self.read(Read(table, (), sql.SQL("false"), ()))

    def write(self, statement: _Sql, parameters: Sequence[object], *, returning: bool = False) -> Written:
        return self._write(_with_values(self._connection, statement, parameters), returning=returning)

    def run(self, text: str) -> int:
        return self._write(text, returning=False).rows

    def _write(self, text: str, *, returning: bool) -> Written:
        [row] = self._call(
            text,
            name="write",
            outputs="OUT affected pg_catalog.int8, OUT returned pg_catalog.text",
            body="BEGIN EXECUTE {} INTO returned; GET DIAGNOSTICS affected = ROW_COUNT; END"
            if returning
            else "BEGIN EXECUTE {}; GET DIAGNOSTICS affected = ROW_COUNT; END",
            columns=("affected", "returned"),
        )
        return Written(row["affected"], row["returned"])

    def read(self, read: Read) -> list[dict[str, Any]]:
        """The whole row inside, its columns outside: so they keep their types."""
        return self._call(
            _with_values(
                self._connection,
                read.statement(sql.SQL("{}.*").format(sql.Identifier(read.table))),
                read.parameters,
            ),
            name=f"read_{read.table}",
            returns=sql.SQL("RETURNS SETOF {}").format(sql.Identifier(SCHEMA, read.table)),
            body="BEGIN RETURN QUERY EXECUTE {}; END",
            columns=read.columns,
            restored=_unreadable(self._connection),
        )

    def texts(self, statement: _Sql, parameters: _Parameters, *, for_good: bool = False) -> list[list[str | None]]:
        rows = self._call(
            _with_values(self._connection, statement, parameters),
            name="texts",
            returns=sql.SQL("RETURNS TABLE (found pg_catalog.text[])"),
            body="BEGIN RETURN QUERY EXECUTE {}; END",
            columns=("found",),
            between=_READ_ONLY if for_good else None,
        )
        return [row["found"] for row in rows]

    def _call(
        self,
        text: str,
        *,
        name: str,
        body: LiteralString,
        columns: Sequence[str],
        outputs: LiteralString = "",
        returns: _Sql = _NOTHING,
        restored: Mapping[str, str] | None = None,
        between: _Sql | None = None,
    ) -> list[dict[str, Any]]:
        """One round trip: between the making of the function and its call nothing else runs.

        EXECUTE parses the statement at its call, under the search_path that holds then, and names it in the CONTEXT.
        `restored` are the settings that make times unreadable.
        """
        self._name = self._prefix + name
        self._text = text
        source = sql.SQL(body).format(sql.Literal(text))
        restored = restored or {}
        readable = setting({name: READABLE[name] for name in restored}) if restored else _NOTHING
        self.started = time.monotonic()
        self._cursor.execute(
            readable
            + _FUNCTION.format(
                name=sql.Identifier(self._name),
                outputs=sql.SQL(outputs),
                returns=returns,
                between=between or _NOTHING,
                body=sql.Literal(source.as_string(self._connection)),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            )
            + setting({**self._settings(), **restored})
        )
        for _ in range(1 + bool(restored) + (between is not None)):
            self._cursor.nextset()
        return self._cursor.fetchall()

    def context(self, error: Error) -> str | None:
        context = error.diag.context
        return None if context is None else without_frames(context, self._name, self._text)

    def reached(self, error: Error) -> bool:
        return self._name in (error.diag.context or "").rpartition("\n")[2]

    def refuses_role(self, error: Error) -> bool:
        said = error.diag
        refused = error.sqlstate == "42501" and said.source_file == _SETTINGS_SOURCE
        return refused and _ROLE_REFUSED.search(said.message_primary or "") is not None


def _with_values(connection: Connection, statement: _Sql, parameters: _Parameters) -> str:
    return ClientCursor(connection).mogrify(statement, parameters)


def _unreadable(connection: Connection) -> dict[str, str]:
    """The present values of the settings under which times are not read. The server reports these two by itself."""
    values = {name: connection.info.parameter_status(name) for name in READABLE}
    return {name: value for name, value in values.items() if value is not None and value != READABLE[name]}


def without_frames(context: str, function: str, statement: str) -> str | None:
    """CONTEXT without the outermost frames: of the function, and of the statement that it runs.

    It goes by these texts, for the server's words may be in another language. None where nothing else is there.
    """
    head, _, frame = context.rpartition("\n")
    if function not in frame:
        return context
    # There is no frame of the statement where the server points into it instead (PG_DIAG_INTERNAL_POSITION).
    start = head.rfind(statement)
    if start >= 0 and len(head) - start - len(statement) <= _CLOSING:
        head = head[: max(head.rfind("\n", 0, start), 0)]
    return head or None
