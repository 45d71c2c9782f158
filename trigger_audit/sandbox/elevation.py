"""Runs single statements with the superuser's rights inside a session that logged in as postgres.

On the platform supautils does so for a list of statements. Here a function of the superuser does, for a caller that
knows its key: a migration must not gain the rights itself, for a superuser can start programs (COPY ... TO PROGRAM).
For the same reason the session is postgres' own login, and not the superuser's with SET SESSION AUTHORIZATION, which
any DO block could reset.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.sandbox.bootstrap import SERVICE_ADMINS

if TYPE_CHECKING:
    import psycopg

_SCHEMA = "_trigger_audit"
# Event triggers would run inside with the superuser's rights: they do not fire in a replica's session. The operator is
# qualified, for the caller's search_path holds here (CREATE EXTENSION without SCHEMA goes by it).
_FUNCTION = """
CREATE FUNCTION _trigger_audit.run_elevated(key text, statement text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET session_replication_role = replica AS $body$
BEGIN
    IF pg_catalog.sha256(pg_catalog.convert_to(key, 'UTF8')) OPERATOR(pg_catalog.=) '\\x{digest}'::pg_catalog.bytea THEN
        EXECUTE statement;
    ELSE
        RAISE EXCEPTION 'not allowed' USING ERRCODE = '42501';
    END IF;
END
$body$;
REVOKE ALL ON FUNCTION _trigger_audit.run_elevated(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION _trigger_audit.run_elevated(text, text) TO postgres;
GRANT USAGE ON SCHEMA _trigger_audit TO postgres;
"""


class Elevation:
    """The way to the superuser's rights of one loading session."""

    def __init__(self, key: str) -> None:
        self._key = key

    def run(self, connection: psycopg.Connection, statement: str) -> None:
        """Runs the statement as supabase_admin in the connection's transaction; psycopg.Error where it fails."""
        connection.execute("SELECT _trigger_audit.run_elevated(%s, %s)", (self._key, statement))


@contextlib.contextmanager
def elevated_session(admin: psycopg.Connection) -> Iterator[Elevation]:
    """While open, postgres is a member of the services' administrators; `admin` is supabase_admin in autocommit."""
    from psycopg import sql

    key = secrets.token_hex(16)
    admins = sql.SQL(", ").join(map(sql.Identifier, SERVICE_ADMINS))
    # The project's event triggers must not fire, as the superuser, in what is done here.
    admin.execute("SET session_replication_role = replica")
    with admin.transaction():
        admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_SCHEMA)))
        admin.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCHEMA)))
        admin.execute(_FUNCTION.replace("{digest}", hashlib.sha256(key.encode()).hexdigest()).encode())
        admin.execute(sql.SQL("GRANT {} TO postgres").format(admins))
    try:
        yield Elevation(key)
    finally:
        if not admin.closed:
            with admin.transaction():
                admin.execute(sql.SQL("REVOKE {} FROM postgres").format(admins))
                admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_SCHEMA)))


def switch_off_event_triggers(admin: psycopg.Connection) -> None:
    """Disables every event trigger: they would run with the superuser's rights in what is done to the loaded database.

    PostgreSQL fires none for ALTER EVENT TRIGGER itself, not even those that fire always.
    """
    from psycopg import sql

    names = admin.execute("SELECT evtname FROM pg_catalog.pg_event_trigger ORDER BY evtname").fetchall()
    for (name,) in names:
        admin.execute(sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name)))
