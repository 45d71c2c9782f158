"""Becomes Auth's role (or the one asked for) as well as the connection allows, and sets the limits of all that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import dict_row

from trigger_audit.auth.roles import ROLE, SEARCH_PATH
from trigger_audit.errors import TriggerAuditError
from trigger_audit.resources import read_sql
from trigger_audit.smoke.event_triggers import EventTrigger, event_triggers
from trigger_audit.smoke.model import By, SessionInfo
from trigger_audit.smoke.owners import Owners
from trigger_audit.smoke.sending import Confined, Plain, Sender
from trigger_audit.smoke.settings import setting

if TYPE_CHECKING:
    from psycopg import Connection

_SETTINGS = ("client_connection_check_interval", "event_triggers", "transaction_timeout")
"""Those that not every server has."""

_JWT_SETTINGS = ("request.jwt.claims", "request.jwt.claim.sub", "request.jwt.claim.role", "request.jwt.claim.email")


@dataclass(frozen=True, slots=True)
class Limits:
    """In milliseconds. Auth gives a whole request ten seconds (API_MAX_REQUEST_DURATION)."""

    statement: int = 10_000
    lock: int = 3_000
    idle: int = 60_000
    check_interval: int = 5_000


@dataclass(frozen=True, slots=True)
class Part:
    """Whom the statements are run as: a role, and the search_path that its sessions start with, as a setting's text."""

    role: str
    search_path: str


AUTH = Part(ROLE, SEARCH_PATH)


@dataclass(frozen=True, slots=True)
class Server:
    """What the server said of itself and of us.

    `reaches_superuser`: code in an unconfined session has a superuser's rights, or can take them by going back.
    """

    version: int
    session_user: str
    current_user: str
    superuser: bool
    reaches_superuser: bool
    bypasses_rls: bool
    has_role: bool
    settings: frozenset[str]


def look_at_server(connection: Connection, role: str = ROLE, *, needs_users: bool = True) -> Server:
    """Asks the server; TriggerAuditError where smoke cannot run: a standby, a read-only database, no auth.users.

    The user's own statements do not need that table (`needs_users`). `role` is the one to become.
    """
    what = "sign-up" if needs_users else "write"
    pin_search_path(connection)
    parameters = {"role": role, "settings": list(_SETTINGS)}
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(read_sql("smoke/server.sql"), parameters).fetchone()
    assert row is not None
    if row["standby"]:
        raise TriggerAuditError(
            f"this server is a standby: it refuses every write, so no {what} can be tried here",
            "give the address of the primary",
        )
    if row["read_only"] == "on":
        raise TriggerAuditError(
            f"transactions only read here (default_transaction_read_only), so no {what} can be tried",
            "use a login that may write; where it is the database's setting, Supabase made it because the disk is full",
        )
    if needs_users and not row["has_users"]:
        raise TriggerAuditError(
            "there is no auth.users in this database", "smoke replays Supabase Auth, which needs it"
        )
    return Server(
        row["version"],
        row["session_user"],
        row["current_user"],
        bool(row["superuser"]),
        row["reaches_superuser"],
        bool(row["bypasses_rls"]),
        row["has_role"],
        frozenset(row["settings"]),
    )


def pin_search_path(connection: Connection) -> None:
    """For the rest of the transaction only PostgreSQL's own operators are found: the owner of a database may have set
    a path that puts a schema of his before pg_catalog, and a superuser would run what is there."""
    connection.execute(setting({"search_path": "pg_temp"}))


class Session:
    """One transaction's way of being Auth, or whom `part` says. Every method runs inside that transaction."""

    def __init__(self, connection: Connection, server: Server, limits: Limits, part: Part = AUTH) -> None:
        self.connection = connection
        self.server = server
        self.limits = limits
        self.part = part
        self.by = self._rung()
        self.found_locked = False
        """Whether the server process held advisory locks before: those of another client, behind a pooler."""
        self.event_triggers: tuple[EventTrigger, ...] = ()
        """Those that fire for our commands."""
        # A login as that role may begin in another one, to which its triggers could go back.
        self.apart = server.current_user != part.role and self.by is not By.APPROXIMATION
        self._waits = False
        self._encoding = connection.info.parameter_status("client_encoding") or "UTF8"
        self.sender: Sender = (Confined if self.apart else Plain)(connection, self._kept)
        self.owners = Owners(self, self._kept)

    def _rung(self) -> By:
        server, role = self.server, self.part.role
        if server.session_user == role:
            return By.LOGIN
        if not server.has_role:
            return By.APPROXIMATION
        if server.superuser:
            return By.SESSION_AUTHORIZATION
        # From 16 on membership may come without the right to SET ROLE.
        privilege = "SET" if server.version >= 160000 else "MEMBER"
        row = self.connection.execute(read_sql("smoke/has_role.sql"), {"role": role, "privilege": privilege}).fetchone()
        return By.SET_ROLE if row is not None and row[0] else By.APPROXIMATION

    def info(self, gaps: tuple[str, ...]) -> SessionInfo:
        role = self.server.current_user if self.by is By.APPROXIMATION else self.part.role
        return SessionInfo(role, self.by, self.part.search_path, (*self._gaps(), *gaps))

    def _gaps(self) -> tuple[str, ...]:
        user, role = self.server.current_user, self.part.role
        pooled = "the pooler's connection has advisory locks of another client: any that a trigger takes stay with them"
        shared = (pooled,) if self.found_locked else ()
        if self.by is By.SET_ROLE:
            return (f"session_user stays {self.server.session_user}: code that looks at it sees no {role}", *shared)
        if self.by is not By.APPROXIMATION:
            return shared
        gaps = [
            *shared,
            f"the statements run as {user}: rights that {role} lacks in SECURITY INVOKER functions do not show",
            f"current_user and session_user differ from {role}",
        ]
        if self.server.bypasses_rls:
            gaps.append(f"row security does not apply to {user}, but to {role} it does")
        if not self.server.has_role:
            gaps.append(f"there is no role {role} here")
        return tuple(gaps)

    def limit(self) -> None:
        """Sets the limits of the transaction, as the outer role."""
        values = {
            "row_security": "on",
            # With nothing on the path format_type names every user's type with its schema, as the catalog does.
            "search_path": "pg_temp",
            "client_min_messages": "warning",
        }
        if self.server.superuser:
            # Errors are read for the words around function and line; lc_messages is a superuser's setting.
            values["lc_messages"] = "C"
        if "transaction_timeout" in self.server.settings:  # from 17 on
            # It would end the connection: all flows are one transaction, which `watch` limits.
            values["transaction_timeout"] = "0"
        self._set(values)
        self.set_limits()
        if not self._silence_event_triggers():
            self.event_triggers = event_triggers(self.connection)
        held = self.connection.execute(read_sql("smoke/advisory.sql")).fetchone()
        self.found_locked = held is None or bool(held[0])
        if "client_connection_check_interval" in self.server.settings:
            with self._attempt():  # refused where the platform cannot watch a closed socket
                self._set({"client_connection_check_interval": str(self.limits.check_interval)})
        for name in _JWT_SETTINGS:
            row = self.connection.execute(read_sql("smoke/setting.sql"), {"name": name}).fetchone()
            if row is not None and row[0]:
                self._set({name: ""})

    def _silence_event_triggers(self) -> bool:
        """They would fire for each function that `sending` makes: Supabase's own look at every command."""
        silent = self.server.superuser and "event_triggers" in self.server.settings  # from 17 on
        if silent:
            self._set({"event_triggers": "off"})
        return silent

    def set_limits(self, *, wait_for_locks: bool = False) -> None:
        """Sets how long a statement and a wait for a lock may take, from `limits`.

        `wait_for_locks` leaves the wait to the statement's limit, which WHEN OTHERS does not catch.
        """
        self._waits = wait_for_locks
        self._set(self._kept())

    def _kept(self) -> dict[str, str]:
        """The settings that are ours whatever a trigger makes of them (see `sending`)."""
        return {
            "statement_timeout": str(self.limits.statement),
            "lock_timeout": "0" if self._waits else str(self.limits.lock),
            "idle_in_transaction_session_timeout": str(self.limits.idle),
            "client_encoding": self._encoding,
            # The names in an error's CONTEXT are read.
            "quote_all_identifiers": "off",
        }

    def _set(self, values: Mapping[str, str]) -> None:
        self.connection.execute(setting(values))

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        from psycopg import Error

        self.connection.execute("SAVEPOINT attempt")
        try:
            yield
        except Error:
            self.connection.execute("ROLLBACK TO SAVEPOINT attempt")
        self.connection.execute("RELEASE SAVEPOINT attempt")

    def enter(self) -> None:
        """Becomes that role until the surrounding savepoint is rolled back or `leave`.

        search_path is set by hand: a role's own settings come only with its login.
        """
        role = sql.Identifier(self.part.role)
        if self.by is By.SESSION_AUTHORIZATION:
            self.connection.execute(sql.SQL("SET LOCAL SESSION AUTHORIZATION {}").format(role))
        elif self.by is By.SET_ROLE:
            self.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
        elif self.apart:
            self.connection.execute("SET LOCAL ROLE NONE")
        self._set({"search_path": self.part.search_path})

    def enter_to_look(self) -> tuple[str, Sender]:
        """Becomes one who sees the rows that are left, and lets no policy run: its name, and what to look with.

        A superuser's login can be whoever passes policies by; for others the server refuses the query where one applies
        (42501).
        """
        if self.by is not By.SESSION_AUTHORIZATION:
            if self.by is By.SET_ROLE:
                self._set({"row_security": "off"})
            self.enter()
            return self.info(()).role, self.sender
        self._set({"search_path": "pg_temp"})
        self._silence_event_triggers()
        looker = self.owners.looker() or self.part.role
        self.owners.become(looker)
        return looker, self.owners.sender(looker)

    def leave(self) -> None:
        """Becomes the outer role again."""
        if self.by is By.SESSION_AUTHORIZATION:
            self.connection.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
        if self.apart:
            self.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(self.server.current_user)))

    def read_strings_plainly(self) -> None:
        """A backslash in a string is one; so pgparse reads statements."""
        self._set({"standard_conforming_strings": "on"})

    def switch_triggers(self, *, off: bool) -> None:
        """Switches user triggers and foreign keys off or on, as the outer role. psycopg.Error where that is refused.

        By the statement: hosted Supabase lets its developers' role have that (supautils), and set_config not.
        """
        role = sql.SQL("replica" if off else "origin")
        self.connection.execute(sql.SQL("SET LOCAL session_replication_role = {}").format(role))
