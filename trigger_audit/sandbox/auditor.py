"""The login with which a loaded sandbox is audited: Auth's own, and no superuser's at any moment.

PostgreSQL runs code of a database's users not only in triggers: a domain's CHECK while a statement is parsed, a
function in an index predicate while a query is planned, whoever reads. A superuser's session would run it with the
right to start programs. So the session is a login as supabase_auth_admin that begins in the role below, which may read
everything and change what the project's roles own. As that role's member by SET only (NOINHERIT), Auth's role has none
of its rights: going on as Auth is SET ROLE NONE, and session_user is what Auth's sessions have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.auth.roles import ROLE as AUTH_ROLE
from trigger_audit.auth.roles import SCHEMA as AUTH_SCHEMA
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.sandbox.running import RunningSandbox

ROLE = "trigger_audit"


def admit(admin: psycopg.Connection) -> None:
    """Makes the role and gives it its rights, after the files were applied; `admin` is supabase_admin in autocommit.

    A member of everybody but superusers and Auth's role: memberships must not go in a circle. In schema auth it has
    privileges instead, TRIGGER among them.
    """
    from psycopg import sql

    role, auth = sql.Identifier(ROLE), sql.Identifier(AUTH_ROLE)
    with admin.transaction():
        admin.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        # The files may have made a role of this name.
        if admin.execute(read_sql("sandbox/role.sql"), {"role": ROLE}).fetchone() is None:
            admin.execute(sql.SQL("CREATE ROLE {}").format(role))
        admin.execute(sql.SQL("ALTER ROLE {} NOLOGIN NOCREATEROLE NOCREATEDB INHERIT BYPASSRLS").format(role))
        names = admin.execute(read_sql("sandbox/auditor.sql"), {"role": ROLE, "auth": AUTH_ROLE}).fetchall()
        members = sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)
        admin.execute(sql.SQL("GRANT {} TO {}").format(members, role))
        admin.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA {} TO {}").format(sql.Identifier(AUTH_SCHEMA), role))
        admin.execute(sql.SQL("GRANT ALL ON SCHEMA {} TO {}").format(sql.Identifier(AUTH_SCHEMA), role))
        version = admin.info.server_version
        if version >= 150000:
            admin.execute(sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(role))
        how = sql.SQL(" WITH INHERIT FALSE, SET TRUE" if version >= 160000 else "")
        admin.execute(sql.SQL("GRANT {} TO {}{}").format(role, auth, how))


def auditor_conninfo(sandbox: RunningSandbox) -> str:
    """A libpq conninfo for that session."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(sandbox.conninfo(AUTH_ROLE), options=f"-c role={ROLE}")
