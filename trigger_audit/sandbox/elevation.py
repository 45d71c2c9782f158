"""Runs single statements with the superuser's rights inside a session that logged in as postgres.

On the platform supautils does so for a list of statements. Here a function of the superuser does, for a caller that
knows its key: a migration must not gain the rights itself, for a superuser can start programs (COPY ... TO PROGRAM).
For the same reason the session is postgres' own login, and not the superuser's with SET SESSION AUTHORIZATION, which
any DO block could reset.

Only what carries no expression runs so. PostgreSQL evaluates some while it parses (the literal of an array of a domain
runs the domain's CHECK), and then it would be a migration's code that has the rights. The scripts of extensions run as
the superuser anyway, created by whom and where they may be: no event trigger of the project's fires in one.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trigger_audit.resources import read_sql
from trigger_audit.sandbox.bootstrap import SERVICE_ADMINS
from trigger_audit.sandbox.extensions import privileged
from trigger_audit.sandbox.forms import SETTABLE_ROLES

if TYPE_CHECKING:
    import psycopg

_SCHEMA = "_trigger_audit"
# A login made while files are applied starts with what they have set for the database and for postgres; an option of
# the login wins over both. A statement under way may hold a lock that it would wait for in vain.
_OPTIONS = (
    "-c role=none -c default_transaction_read_only=off -c local_preload_libraries= -c search_path=public "
    "-c statement_timeout=60s -c lock_timeout=5s -c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0"
)
_OF_OWN_SCHEMA = ("pg_cron", "pgmq")
# Event triggers would run inside with the superuser's rights: they do not fire in a replica's session. The operator is
# qualified, for the caller's search_path holds here (CREATE EXTENSION without SCHEMA goes by it).
_FUNCTION = """
CREATE FUNCTION _trigger_audit.run_elevated(key text, statement text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET session_replication_role = replica SET standard_conforming_strings = on AS $body$
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


_ELEVATED = {
    "CreateExtensionStmt": None,
    "AlterExtensionStmt": None,
    "AlterObjectSchemaStmt": ("objectType", ("OBJECT_EXTENSION",)),
    "CommentStmt": ("objtype", ("OBJECT_EXTENSION",)),
    "DropStmt": ("removeType", ("OBJECT_EXTENSION", "OBJECT_EVENT_TRIGGER", "OBJECT_FDW")),
    "AlterRoleSetStmt": None,
    "AlterDatabaseSetStmt": None,
    "CreateEventTrigStmt": None,
    "AlterEventTrigStmt": None,
    "CreatePublicationStmt": None,
    "AlterPublicationStmt": None,
}
"""Statements by libpg_query's names, with the kinds of objects where that is not in the name."""

# What the superuser sets is taken as his in every session that starts there, and some parameters name code to load.
# These are the ones of privileged_role_allowed_configs in the platform's supautils.conf that have no dot; postgres has
# session_replication_role by a grant.
_PARAMETERS = frozenset({"log_lock_waits", "log_min_messages", "track_io_timing"})
# Those with a dot are a project's own, and harmless for that, unless a library knows them. These are of extensions and
# modules, without the ones whose parameters that list holds: auto_explain, pg_net, pgaudit, plan_filter, safeupdate.
_LIBRARIES = frozenset(
    "basebackup_to_shell basic_archive cron http isn orioledb pg_cron pg_graphql pg_jsonschema pg_partman_bgw "
    "pg_prewarm pg_stat_monitor pg_stat_statements pg_tle pg_trgm pgcrypto pgmq pgroonga pgsodium pgtap pgtle pljava "
    "pllua plperl plperlu plpgsql plpgsql_check plpython plpython2u plpython3 plpython3u plr plrust plsh pltcl pltclu "
    "plv8 postgis postgres_fdw rum sepgsql supabase_vault supautils timescaledb vault wrappers".split()
)


def may_be_elevated(statement: str, major: int) -> bool:
    """Whether the text is one statement of those that run with the superuser's rights, and without an expression.

    `major` is the server's version.

    PostgreSQL's own grammar reads it, with standard_conforming_strings on as in the function above.
    """
    import pgparse

    try:
        parsed: list[Any] = pgparse.parse(statement)
    except (pgparse.PGQueryError, ValueError, RecursionError):
        return False
    if len(parsed) != 1:
        return False
    ((node, fields),) = parsed[0]["stmt"].items()
    if node not in _ELEVATED or _has_condition(fields):
        return False
    if node == "CreateExtensionStmt":
        return privileged(fields["extname"], major)
    # Without PL/pgSQL nothing would be left of what keeps the rights apart.
    if node == "DropStmt" and {"String": {"sval": "plpgsql"}} in fields["objects"]:
        return False
    if node in ("AlterRoleSetStmt", "AlterDatabaseSetStmt"):
        return _has_settable_role(node, fields) and _is_harmless(fields["setstmt"])
    kinds = _ELEVATED[node]
    return kinds is None or fields.get(kinds[0]) in kinds[1]


def _has_settable_role(node: str, fields: Mapping[str, Any]) -> bool:
    """Whether the statement is about the database, or a named role that is no superuser's and no service's.

    CURRENT_USER would be the superuser himself, and ALL everybody.
    """
    return node == "AlterDatabaseSetStmt" or fields.get("role", {}).get("rolename") in SETTABLE_ROLES


def _is_harmless(setting: Mapping[str, Any]) -> bool:
    """Whether no session does more than show the parameter, or log; RESET ALL names none and only takes away."""
    if setting["kind"] == "VAR_RESET_ALL":
        return True
    # The server knows parameters in any case.
    name = str(setting["name"]).lower()
    owner, dot, _ = name.partition(".")
    return name in _PARAMETERS or (dot != "" and owner not in _LIBRARIES)


def _has_condition(tree: Any) -> bool:
    """A publication's row filter is the one expression that these statements may hold."""
    if isinstance(tree, Mapping):
        return "whereClause" in tree or any(map(_has_condition, tree.values()))
    return isinstance(tree, list) and any(map(_has_condition, tree))


class Elevation:
    """The way to the superuser's rights of one loading session."""

    def __init__(self, key: str, admin: psycopg.Connection) -> None:
        self._key = key
        self._admin = admin

    def run(self, connection: psycopg.Connection, statement: str) -> None:
        """Runs the statement as supabase_admin in the connection's transaction; psycopg.Error where it fails.

        As the session's own role where it must have no other rights (`may_be_elevated`).
        """
        if not may_be_elevated(statement, connection.info.server_version // 10000):
            connection.execute(statement.encode())
            return
        self._run_elevated(connection, statement)

    def make_wrapper(self, connection: psycopg.Connection, name: str) -> None:
        """Makes one that can do nothing: the validator that a statement names would run as the superuser."""
        from psycopg import sql

        for text in ("CREATE FOREIGN DATA WRAPPER {}", "GRANT USAGE ON FOREIGN DATA WRAPPER {} TO postgres"):
            self._run_elevated(connection, sql.SQL(text).format(sql.Identifier(name)).as_string(connection))

    def make_extension(self, name: str) -> bool:
        """Creates an extension in a transaction of its own, as postgres; False where it cannot be had."""
        import psycopg
        from psycopg import sql

        text = sql.SQL("CREATE EXTENSION {}{}").format(
            sql.Identifier(name), sql.SQL("" if name in _OF_OWN_SCHEMA else " SCHEMA extensions")
        )
        try:
            with psycopg.connect(
                self._admin.info.dsn,
                user="postgres",
                # The sandbox has one password for all, where it has any; the DSN leaves it out.
                password=self._admin.info.password or None,
                options=_OPTIONS,
                autocommit=True,
                prepare_threshold=None,
            ) as connection:
                connection.execute(text)
        except psycopg.Error:
            return False
        return True

    def make_collation(self, name: str) -> bool:
        """Gives the server's order by code point this name of a collation of ICU; False where that fails."""
        import psycopg
        from psycopg import sql

        try:
            self._admin.execute(
                sql.SQL('CREATE COLLATION pg_catalog.{} FROM pg_catalog."C"').format(sql.Identifier(name))
            )
        except psycopg.Error:
            return False
        return True

    def _run_elevated(self, connection: psycopg.Connection, statement: str) -> None:
        connection.execute("SELECT _trigger_audit.run_elevated(%s, %s)", (self._key, statement))


@contextlib.contextmanager
def elevated_session(admin: psycopg.Connection) -> Iterator[Elevation]:
    """While open, postgres is a member of the services' administrators; `admin` is supabase_admin in autocommit."""
    from psycopg import sql

    key = secrets.token_hex(16)
    # Nobody who knows their names may drop the event triggers, as a migration may with its own.
    name = secrets.token_hex(8)
    admins = sql.SQL(", ").join(map(sql.Identifier, SERVICE_ADMINS))
    # The project's event triggers must not fire, as the superuser, in what is done here.
    admin.execute("SET session_replication_role = replica")
    admin.execute("SET lock_timeout = '5s'")
    with admin.transaction():
        admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(_SCHEMA)))
        admin.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCHEMA)))
        admin.execute(_FUNCTION.replace("{digest}", hashlib.sha256(key.encode()).hexdigest()).encode())
        admin.execute(read_sql("sandbox/guard.sql").encode())
        for function, event in (("silence", "ddl_command_start"), ("unsilence", "ddl_command_end")):
            admin.execute(
                sql.SQL(
                    "CREATE EVENT TRIGGER {} ON {} WHEN TAG IN ('CREATE EXTENSION', 'ALTER EXTENSION') "
                    "EXECUTE FUNCTION {}.{}()"
                ).format(
                    sql.Identifier(f"_trigger_audit_{function}_{name}"),
                    sql.SQL(event),
                    sql.Identifier(_SCHEMA),
                    sql.Identifier(function),
                )
            )
        admin.execute(sql.SQL("GRANT {} TO postgres").format(admins))
    try:
        yield Elevation(key, admin)
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
