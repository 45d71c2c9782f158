"""Which statement of which file defined what is in a loaded sandbox, as PostgreSQL itself tells it.

SQL is not parsed for that: functions are made in DO blocks, by helper functions and under a search_path, and statements
fail. An event trigger of the superuser writes into a log what each command made, with the number of the statement that
the client sent, which stands in a comment at the start of its text. What a failed statement or a rolled-back
transaction has logged is rolled back as well.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.sandbox.project import SqlFile

_SCHEMA = "_trigger_audit_log"
# The commands that can define what a finding is about. Without the filter each GRANT and COMMENT would run the trigger.
_TAGS = (
    "ALTER FOREIGN TABLE",
    "ALTER POLICY",
    "ALTER TABLE",
    "CREATE FOREIGN TABLE",
    "CREATE FUNCTION",
    "CREATE MATERIALIZED VIEW",
    "CREATE POLICY",
    "CREATE PROCEDURE",
    "CREATE SCHEMA",
    "CREATE TABLE",
    "CREATE TABLE AS",
    "CREATE TRIGGER",
    "CREATE VIEW",
    "IMPORT FOREIGN SCHEMA",
    "SELECT INTO",
)


@dataclass(frozen=True, slots=True)
class Definition:
    """An object and the statement that last defined it.

    `kind` is function, table (and view), trigger, constraint or policy; `name` as the catalog names it: a function's
    signature, schema.table, or schema.table.name. `line` and `column`, both from 1 and in characters, are where
    `statement` begins in `file`; it has neither leading comments nor the semicolon. A function that a DO block or
    another function made has that statement. `source` is a function's pg_proc.prosrc; None for BEGIN ATOMIC and RETURN.
    `constraint` is a constraint's pg_constraint.contype, `columns` are those that it is over.
    """

    kind: str
    name: str
    file: str
    line: int
    column: int
    statement: str
    source: str | None = None
    constraint: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A statement's place. Its text is cut out when it has defined something: a dump's rows are not held twice."""

    file: SqlFile
    line: int
    column: int
    start: int
    end: int


class Watch:
    """The log of one loading."""

    def __init__(self, admin: psycopg.Connection) -> None:
        self._admin = admin
        self._statements: list[_Sent] = []

    def mark(self, file: SqlFile, line: int, column: int, start: int, end: int) -> str:
        """What the text of a statement must begin with when it is sent; it is file.text[start:end].

        A comment without a line break: lines stay as they are, and the server never shows it, for what it shows of a
        statement starts at the fault.
        """
        self._statements.append(_Sent(file, line, column, start, end))
        return f"/*{len(self._statements):09}*/"

    def definitions(self) -> tuple[Definition, ...]:
        """What is there now, by kind and name."""
        with self._admin.transaction():
            self._admin.execute("SET LOCAL search_path = pg_catalog, pg_temp")
            rows = self._admin.execute(read_sql("sandbox/definitions.sql")).fetchall()
        places: dict[int, tuple[str, int, int, str]] = {}
        found = []
        for number, kind, name, source, constraint, columns in rows:
            if number not in places and 0 < number <= len(self._statements):
                places[number] = self._place(number)
            if number in places:
                found.append(Definition(kind, name, *places[number], source, constraint or "", tuple(columns or ())))
        return tuple(found)

    def _place(self, number: int) -> tuple[str, int, int, str]:
        sent = self._statements[number - 1]
        return sent.file.path, sent.line, sent.column, sent.file.text[sent.start : sent.end]


@contextlib.contextmanager
def watched_definitions(admin: psycopg.Connection) -> Iterator[Watch]:
    """While open, what statements define is logged; afterwards nothing of it is left.

    `admin` is supabase_admin in autocommit, with session_replication_role = replica so that no event trigger of the
    project runs in what is done here.
    """
    from psycopg import sql

    # A migration that drops event triggers by name is run with the superuser's rights: it cannot know this one.
    name = sql.Identifier(f"_trigger_audit_{secrets.token_hex(8)}")
    with admin.transaction():
        admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_SCHEMA)))
        admin.execute(read_sql("sandbox/watch.sql").encode())
        admin.execute(
            sql.SQL("CREATE EVENT TRIGGER {} ON ddl_command_end WHEN TAG IN ({}) EXECUTE FUNCTION {}.note()").format(
                name, sql.SQL(", ").join(map(sql.Literal, _TAGS)), sql.Identifier(_SCHEMA)
            )
        )
        # Also in sessions that call themselves a replica's, as the restoring of a dump does.
        admin.execute(sql.SQL("ALTER EVENT TRIGGER {} ENABLE ALWAYS").format(name))
    try:
        yield Watch(admin)
    finally:
        if not admin.closed:
            with admin.transaction():
                admin.execute(sql.SQL("DROP EVENT TRIGGER IF EXISTS {}").format(name))
                admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_SCHEMA)))
