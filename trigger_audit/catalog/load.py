"""Reads the catalog of a database: the one place where rows of pg_catalog become the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trigger_audit.catalog.functions import read_functions
from trigger_audit.catalog.model import Catalog, Role, Schema, Table
from trigger_audit.catalog.roles import read_roles, role_name, settings_of
from trigger_audit.catalog.rows import Row, schema_changed
from trigger_audit.catalog.tables import read_tables
from trigger_audit.catalog.triggers import read_triggers
from trigger_audit.catalog.types import read_types
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    from psycopg import Connection, Cursor


def load_catalog(connection: Connection[Any]) -> Catalog:
    """The snapshot of the database behind `connection`, in a number of queries that does not depend on its size.

    Runs inside the caller's open transaction, which should be READ ONLY and REPEATABLE READ for the queries to see one
    state; on an idle connection it opens such a transaction itself and closes it again. Either way the settings of the
    connection are as before afterwards. Any role that may connect may load: pg_catalog is readable by PUBLIC.

    Texts come in the connection's encoding. `database.connect` takes LATIN1 for a SQL_ASCII database, where each byte
    is a character, so that what is read here means the same bytes to the server when it is asked about it.

    Raises:
        TriggerAuditError: another session changed the schema in the middle of it.
        psycopg.Error: the server refused a query (time-out, lost connection).
    """
    from psycopg.errors import InternalError_
    from psycopg.pq import TransactionStatus
    from psycopg.rows import tuple_row

    idle = connection.info.transaction_status == TransactionStatus.IDLE
    try:
        # A savepoint in the caller's transaction: rolling back to it undoes what the settings below were set to.
        with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
            if idle:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(read_sql("catalog/session.sql"))
            return _read_catalog(cursor)
    except InternalError_ as error:
        # "cache lookup failed for ...": the functions that deparse look at the present state, where another session
        # has dropped what the snapshot still shows.
        raise schema_changed() from error


def _read_catalog(cursor: Cursor[Row]) -> Catalog:
    def rows(name: str) -> Iterator[Row]:
        cursor.execute(read_sql(f"catalog/{name}.sql"))
        return iter(cursor)

    [(version, version_number, database, user, of_database, of_all)] = rows("server")
    settings = settings_of(of_all, of_database)
    roles, role_names = read_roles(rows, settings)
    schemas = {
        name: Schema(oid=oid, name=name, owner=role_name(owner, role_names)) for oid, name, owner in rows("schemas")
    }
    types, modifiers = read_types(rows)
    tables = read_tables(rows, role_names, types, modifiers)
    return Catalog(
        # Distributions append their own ("15.8 (Debian 15.8-1.pgdg120+1)").
        server_version=version.partition(" ")[0],
        server_version_num=version_number,
        database=database,
        user=user,
        platform=_platform(roles, tables),
        schemas=schemas,
        roles=roles,
        types=types,
        tables=tables,
        functions=read_functions(rows, role_names),
        triggers=read_triggers(rows, tables),
        extensions=dict(rows("extensions")),
        settings=settings,
    )


def _platform(roles: dict[str, Role], tables: dict[int, Table]) -> str:
    """`supabase` where Supabase's admin roles and auth.users are, else `postgres`."""
    admins = not roles.keys().isdisjoint(("supabase_admin", "supabase_auth_admin"))
    users = any(table.schema == "auth" and table.relation == "users" for table in tables.values())
    return "supabase" if admins and users else "postgres"
