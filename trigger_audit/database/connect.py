"""Opens connections, and transactions that read only and always end in a rollback."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_loads

from trigger_audit.database.dsn import Dsn
from trigger_audit.database.patience import PatientConnection
from trigger_audit.database.problems import explain
from trigger_audit.resources import read_sql

_CONNECT_TIMEOUT = "10"


def connect(dsn: Dsn, *, application_name: str = "trigger-audit") -> psycopg.Connection[Any]:
    """A connection without autocommit that prepares no statements, so that it works through poolers.

    The connecting takes ten seconds at most, unless the URL or PGCONNECT_TIMEOUT tells otherwise, and a server that
    falls silent is waited for no longer than `patience.SILENCE`.

    No session-level setting is made and no `options` are sent: a pooler in transaction mode refuses them, or hands
    them on to other clients. Raises TriggerAuditError in plain words, without the password.
    """
    try:
        connection = PatientConnection.connect(prepare_threshold=None, **_arguments(dsn, application_name, "UTF8"))
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            # Such a database holds bytes of any encoding, and the server refuses to hand over as UTF8 what is not. In
            # LATIN1 every byte is a character, so that names and bodies come back to the server as they were. It is
            # asked for anew, since a SET would outlast our transactions.
            connection.close()
            connection = PatientConnection.connect(
                prepare_threshold=None, **_arguments(dsn, application_name, "LATIN1")
            )
            # psycopg takes JSON for UTF-8 whatever the encoding.
            set_json_loads(_latin1_json, connection)
    except psycopg.Error as error:
        problem = explain(error, dsn)
    except UnicodeError:
        # From the name resolution: a label that is empty or longer than 63 characters.
        problem = explain(psycopg.OperationalError("failed to resolve host: not a host name"), dsn)
    else:
        return connection
    # Outside of the handler, so that libpq's own error, which knows the password, does not hang on ours as its context.
    raise problem


def _latin1_json(data: str | bytes) -> Any:
    return json.loads(data if isinstance(data, str) else bytes(data).decode("latin-1"))


def _arguments(dsn: Dsn, application_name: str, client_encoding: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"application_name": application_name, **dsn.conninfo()}
    if not os.environ.get("PGCONNECT_TIMEOUT"):
        arguments.setdefault("connect_timeout", _CONNECT_TIMEOUT)
    arguments["client_encoding"] = client_encoding
    return arguments


@contextlib.contextmanager
def read_only(
    connection: psycopg.Connection[Any],
    *,
    statement_timeout_ms: int = 30_000,
    lock_timeout_ms: int = 2_000,
    idle_timeout_ms: int = 300_000,
) -> Iterator[None]:
    """One transaction, REPEATABLE READ READ ONLY, with time-outs in milliseconds; it ends in ROLLBACK whatever happens.

    The connection must be idle, and is idle again afterwards, or closed where it was lost. On Ctrl-C psycopg cancels
    the running statement first. psycopg's errors come through as they are: `problems.explain` puts them in plain words.
    """
    before = (connection.isolation_level, connection.read_only)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    try:
        set_time_outs(connection, statement_timeout_ms, lock_timeout_ms, idle_timeout_ms)
        yield
    finally:
        roll_back(connection)
        if not connection.closed:
            connection.isolation_level, connection.read_only = before


def set_time_outs(
    connection: psycopg.Connection[Any], statement_timeout_ms: int, lock_timeout_ms: int, idle_timeout_ms: int
) -> None:
    """Sets the time-outs for the present transaction, in milliseconds, beginning one where there is none.

    Where the server can (14, not on every system) it also looks every two seconds whether the client is still there, so
    that a killed process does not leave a statement running.
    """
    connection.execute(
        read_sql("database/time_outs.sql"), [str(statement_timeout_ms), str(lock_timeout_ms), str(idle_timeout_ms)]
    )
    # The setting's check refuses it where the system cannot tell that a socket was closed (22023).
    with contextlib.suppress(psycopg.errors.InvalidParameterValue), connection.transaction():
        connection.execute(read_sql("database/connection_check.sql"))


def roll_back(connection: psycopg.Connection[Any]) -> None:
    """Ends the transaction: cancels what still runs, rolls back, and closes the connection where that fails."""
    if connection.closed:
        return
    try:
        if connection.info.transaction_status is TransactionStatus.ACTIVE:
            connection.cancel_safe(timeout=5.0)
        connection.rollback()
    except psycopg.Error:
        # Lost, or left in the middle of something: the server rolls back when the connection ends.
        connection.close()
