"""What rights a user has got, and which of them came from the client's own metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import Error, sql

from trigger_audit.analysis.granting import GRANTING
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.smoke.accepts import text_of
from trigger_audit.smoke.context import one_line
from trigger_audit.smoke.model import Escalation
from trigger_audit.smoke.owners import Withheld
from trigger_audit.smoke.scrub import scrubbed
from trigger_audit.smoke.settings import setting

if TYPE_CHECKING:
    from trigger_audit.analysis.rights import RightsTable
    from trigger_audit.smoke.catalog import Target
    from trigger_audit.smoke.session import Session

_MOST_ROWS = 100
# A cast to text of a type of the database's own may be a function of its own; concat takes the type's output.
_AS_TEXT = sql.SQL(
    "CASE WHEN pg_catalog.pg_typeof({0}) = 'pg_catalog.bool'::pg_catalog.regtype THEN {0}::pg_catalog.text "
    "WHEN {0} IS NOT NULL THEN pg_catalog.concat({0}) END"
)
_USERS = ("role", "is_super_admin")


@dataclass(frozen=True, slots=True)
class Right:
    """A value in a column that grants something, as text; an array's elements one by one."""

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Rights:
    """`gaps` say where it was not possible to look."""

    held: frozenset[Right]
    gaps: tuple[str, ...] = ()


def look_at_rights(session: Session, target: Target, tables: Sequence[RightsTable], user: str) -> Rights:
    """The rights of one user, read as the outer role, or as the tables' owners where that is a superuser.

    The transaction must be sound, and is to be rolled back. Names are qualified, and nothing of the target is on the
    path: a function may have changed search_path. With row_security off a table whose policies hide rows gives an
    error, so that policies' functions are not run; nor are those of a view that a function may have put in a table's
    place, or of a cast.
    """
    session.leave()
    session.connection.execute(setting({"search_path": "pg_temp", "row_security": "off"}))
    held: set[Right] = set()
    gaps: list[str] = []
    columns = [name for name in (*_USERS, "raw_app_meta_data") if name in target.columns["users"]]
    try:
        for row in _rows(session, SCHEMA, "users", columns, "id", user):
            held.update(_of_users(dict(zip(columns, row, strict=True))))
    except (Error, Withheld) as error:
        gaps.append(_gap(f"{SCHEMA}.users", error))
    for table in tables:
        gaps += (
            f"{table.name} is large and has no index on {name}: what the user got there was not looked at"
            for name in table.unsearched
        )
        try:
            for owner in table.owners:
                for row in _rows(session, table.schema, table.relation, table.columns, owner, user):
                    for column, text in zip(table.columns, row, strict=True):
                        held.update(Right(table.name, column, part) for part in _parts(text))
        except (Error, Withheld) as error:
            gaps.append(_gap(table.name, error))
    return Rights(frozenset(held), tuple(gaps))


def _rows(
    session: Session, schema: str, relation: str, columns: Sequence[str], owner: str, user: str
) -> list[list[str | None]]:
    statement = sql.SQL("SELECT ARRAY[{}]::pg_catalog.text[] FROM {} WHERE {} = %s LIMIT {}").format(
        sql.SQL(", ").join(_AS_TEXT.format(sql.Identifier(name)) for name in columns),
        sql.Identifier(schema, relation),
        sql.Identifier(owner),
        sql.Literal(_MOST_ROWS),
    )
    session.connection.execute("SAVEPOINT rights")
    try:
        with session.owners.reading(schema, relation) as sender:
            return sender.texts(statement, (user,))
    except Error:
        session.connection.execute("ROLLBACK TO SAVEPOINT rights")
        raise


def _gap(table: str, error: Error | Withheld) -> str:
    if isinstance(error, Withheld):
        return f"{table} {error}: what the user got there was not looked at"
    return f"what the user got in {table} could not be looked at ({one_line(error)})"


def _of_users(row: Mapping[str, str | None]) -> Iterator[Right]:
    table = f"{SCHEMA}.users"
    for column in _USERS:
        value = row.get(column)
        if value is not None:
            yield Right(table, column, value)
    try:
        document = json.loads(row.get("raw_app_meta_data") or "null")
    except ValueError:
        return
    for key, value in document.items() if isinstance(document, Mapping) else ():
        if GRANTING.match(str(key).lower()):
            values = value if isinstance(value, list) else [value]
            yield from (Right(table, f"raw_app_meta_data.{key}", text_of(each)) for each in values if each is not None)


def _parts(whole: str | None) -> Iterator[str]:
    """A value's text, and where it reads like an array those of its elements."""
    if whole is None:
        return
    yield whole
    if whole[:1] + whole[-1:] in ("{}", "[]"):
        yield from (part.strip().strip('"') for part in whole[1:-1].split(","))


def escalations(got: Rights, otherwise: Rights | None, privileged: Iterable[str]) -> tuple[Escalation, ...]:
    """The rights whose value the client has asked for, without those that come without asking (`otherwise`)."""
    asked = frozenset(privileged)
    without = frozenset() if otherwise is None else otherwise.held
    found = sorted(
        (right for right in got.held - without if right.value in asked),
        key=lambda right: (right.table, right.column, right.value),
    )
    return tuple(Escalation(right.table, right.column, scrubbed(right.value)) for right in found)
