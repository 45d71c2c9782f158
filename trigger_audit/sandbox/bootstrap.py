"""Turns an empty cluster into a Supabase project: roles, schemas, Auth's tables and the other services."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from trigger_audit.resources import read_sql, sql_folder
from trigger_audit.sandbox.extensions import stand_in_script, stand_ins

if TYPE_CHECKING:
    import psycopg

# In this order; each file is one transaction.
BOOTSTRAP_FILES = (
    "supabase/10_roles.sql",
    "supabase/20_schemas.sql",
    "supabase/30_auth.sql",
    "supabase/40_storage.sql",
    "supabase/50_realtime.sql",
    "supabase/60_services.sql",
)
DATABASE_FILE = "supabase/90_database.sql"
Refused = Callable[[str, "psycopg.Error"], None]
"""Takes the name of an extension, and why it cannot be created."""

# (extension, schema) that a project finds installed.
PREINSTALLED = (
    ("uuid-ossp", "extensions"),
    ("pgcrypto", "extensions"),
    ("pg_stat_statements", "extensions"),
    ("pgjwt", "extensions"),
    ("pgsodium", "pgsodium"),
    ("supabase_vault", "vault"),
    ("pg_graphql", "graphql"),
    ("pg_net", "extensions"),
)
# While a project is loaded, postgres is a member of these: it lets through the policies and DROP TRIGGER statements
# that the platform's supautils grants it on the services' tables.
SERVICE_ADMINS = ("supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin")


def bootstrap(connection: psycopg.Connection, *, roles: bool = True, refused: Refused | None = None) -> None:
    """Makes a project of the database that `connection` (the superuser supabase_admin, autocommit) is in.

    `roles` False leaves the roles out, for a further database of a cluster that has them. `refused` as in
    `install_extensions`.
    """
    for name in BOOTSTRAP_FILES:
        if roles or "roles" not in name:
            with connection.transaction():
                connection.execute(read_sql(name).encode())
    with connection.transaction():
        install_extensions(connection, refused)
    with connection.transaction():
        connection.execute(read_sql(DATABASE_FILE).encode())


def install_extensions(connection: psycopg.Connection, refused: Refused | None = None) -> None:
    """Installs what a project finds installed: the server's own extension where it has one, else the stand-in.

    A server that was not started with the stand-ins (see `extensions`) gets their objects without an extension.
    `refused` is told of an extension that cannot be created, and the others follow; without it the error is raised.
    """
    import psycopg
    from psycopg import sql

    available = {name for (name,) in connection.execute(read_sql("sandbox/available_extensions.sql"))}
    for name, schema in PREINSTALLED:
        if name in available:
            try:
                with connection.transaction():
                    connection.execute(
                        sql.SQL("CREATE EXTENSION {} SCHEMA {}").format(sql.Identifier(name), sql.Identifier(schema))
                    )
            except psycopg.Error as error:
                if refused is None:
                    raise
                refused(name, error)
        elif name in stand_ins():
            script = stand_in_script(name).replace("@extschema@", schema)
            connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(schema)))
            connection.execute(script.encode())
            connection.execute("RESET search_path")


def bootstrap_hash(shaping: Iterable[str]) -> str:
    """A digest of all that shapes a bootstrapped data directory: our SQL, the lists above, and `shaping` settings."""
    digest = hashlib.sha256()
    for item in (*BOOTSTRAP_FILES, DATABASE_FILE, repr(PREINSTALLED), *shaping):
        digest.update(item.encode() + b"\0")
    for folder in ("supabase", "extensions"):
        for path in sorted((sql_folder() / folder).iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
