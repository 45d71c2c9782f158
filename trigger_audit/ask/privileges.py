"""Asks the server which privileges are missing."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from psycopg import Connection

    from trigger_audit.analysis.model import Requirement


def ask_privileges(connection: Connection[Any], requirements: Collection[Requirement]) -> frozenset[Requirement]:
    """The requirements that are not met, asked in one query. Roles and objects that are gone are not among them.

    Raises:
        psycopg.Error: the server refused the query.
    """
    from psycopg.rows import tuple_row

    asked = list(dict.fromkeys(requirements))
    if not asked:
        return frozenset()
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            read_sql("ask/privileges.sql"),
            {
                "roles": [requirement.role for requirement in asked],
                "kinds": [requirement.kind for requirement in asked],
                "oids": [requirement.oid for requirement in asked],
                "privileges": [requirement.privilege for requirement in asked],
                "names": [requirement.column for requirement in asked],
            },
        )
        return frozenset(asked[number - 1] for (number,) in cursor)
