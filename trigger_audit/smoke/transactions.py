"""Whether the transactions of a run were really rolled back: PostgreSQL itself says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from psycopg import Connection

_STATES = {"committed": "it was committed", "in progress": "it is still running", None: "its end is no longer known"}


def current_transaction(connection: Connection) -> str:
    """The id (xid8) of the present transaction, which gets one by this where it has none yet."""
    row = connection.execute(read_sql("smoke/transaction.sql")).fetchone()
    assert row is not None
    return str(row[0])


def not_aborted(connection: Connection, transactions: Sequence[str]) -> str | None:
    """Asked in another transaction: why one of these does not count as rolled back, None where PostgreSQL says that
    all of them are.

    pg_xact_status forgets what is older than the oldest transaction that anybody may still look at.
    """
    for transaction in transactions:
        row = connection.execute(read_sql("smoke/transaction_status.sql"), {"transaction": transaction}).fetchone()
        state = None if row is None else row[0]
        if state != "aborted":
            return f"PostgreSQL says of transaction {transaction} of the run: {_STATES.get(state, state)}"
    return None
