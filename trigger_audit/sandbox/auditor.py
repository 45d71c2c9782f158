"""The login with which a loaded sandbox is audited: Auth's own, and no superuser's at any moment.

PostgreSQL runs code of a database's users not only in triggers: a domain's CHECK while a statement is parsed, a
function in an index predicate while a query is planned, whoever reads. A superuser's session would run it with the
right to start programs. So the session is a login as supabase_auth_admin that begins in the role below, which may read
everything and change what the project's roles own. As that role's member by SET only (NOINHERIT), Auth's role has none
of its rights: going on as Auth is SET ROLE NONE, and session_user is what Auth's sessions have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trigger_audit.auth.roles import ROLE as AUTH_ROLE
from trigger_audit.auth.roles import SCHEMA as AUTH_SCHEMA
from trigger_audit.resources import read_sql

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

    from trigger_audit.sandbox.running import RunningSandbox

ROLE = "trigger_audit"
# The login begins with what the files have set for the database and for Auth's role, as Auth's own does. That keeps its
# effect on what is judged, but must not keep us from judging: an option of the login wins over both. The flows run with
# time limits of their own.
_OPTIONS = {
    "role": ROLE,
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "local_preload_libraries": "",
}
_SINCE_17 = {"transaction_timeout": "0"}
_SWITCH = "session_replication_role"


def admit(admin: psycopg.Connection) -> tuple[str, ...]:
    """Makes the role and gives it its rights, after the files were applied; what was put aside for that, to be told.

    `admin` is supabase_admin in autocommit, logged in before the files were applied: a later login would begin with
    their settings.

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
        # What the owner of the database can take from everybody, and before 16 from the role.
        database = sql.Identifier(admin.info.dbname)
        admin.execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(database))
        admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, auth))
        admin.execute(sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT -1 VALID UNTIL 'infinity'").format(auth))
        return _reset_switch(admin, auth)


def _reset_switch(admin: psycopg.Connection, auth: sql.Identifier) -> tuple[str, ...]:
    """Takes back what would switch every trigger off in Auth's sessions.

    The platform lets postgres SET that in a session and for roles that are not reserved, and the grant that comes
    nearest lets it be set for the database as well. No login of Auth's role could set it back in its options.
    """
    from psycopg import sql

    database = sql.Identifier(admin.info.dbname)
    places = admin.execute(read_sql("sandbox/replica_settings.sql"), {"role": AUTH_ROLE}).fetchall()
    for of_database, of_role in places:
        text = "DATABASE {database}"
        if of_role:
            text = "ROLE {role} IN DATABASE {database}" if of_database else "ROLE {role}"
        target = sql.SQL(text).format(role=auth, database=database)
        admin.execute(sql.SQL("ALTER {} RESET {}").format(target, sql.Identifier(_SWITCH)))
    if not places:
        return ()
    return (f"{_SWITCH} is set for Auth's sessions, which hosted Supabase does not let postgres do: taken back here",)


def auditor_conninfo(sandbox: RunningSandbox) -> str:
    """A libpq conninfo for that session."""
    from psycopg.conninfo import make_conninfo

    major = re.match(r"\d+", sandbox.server_version)
    options = _OPTIONS | (_SINCE_17 if major is not None and int(major[0]) >= 17 else {})
    return make_conninfo(
        sandbox.conninfo(AUTH_ROLE), options=" ".join(f"-c {name}={value}" for name, value in options.items())
    )
