"""What kind of server answers: version, Supabase or not, hosted or local, through a pooler or not."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from trigger_audit.database.connect import roll_back
from trigger_audit.errors import TriggerAuditError
from trigger_audit.resources import read_sql

OLDEST = 14
NEWEST = 18

Hosting = Literal["hosted", "local", "self-hosted", "none"]
Pooler = Literal["none", "session", "transaction"]

_HOSTED = (".supabase.co", ".supabase.com", ".supabase.net", ".supabase.red")
# Servers that speak PostgreSQL's protocol and are not PostgreSQL inside: by what they say in version().
_OTHERS = (
    ("CockroachDB", "CockroachDB"),
    ("-YB-", "YugabyteDB"),
    ("Redshift", "Amazon Redshift"),
    ("Materialize", "Materialize"),
    ("CrateDB", "CrateDB"),
    ("QuestDB", "QuestDB"),
    ("RisingWave", "RisingWave"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """The server behind a connection. `version` is short ("15.8"); `version_num` as PostgreSQL counts (150008).

    `hosting` is "none" for a database that is not Supabase's; "local" is one on this machine. `pooler` says what sits
    in between, as far as host, port and user tell. `read_only` is true where writes are refused from the start (a
    standby, default_transaction_read_only). `user` is the current role;
    `is_superuser`: it is one, or the login that it may go back to. `notes` are for the user to read.
    """

    version_num: int
    version: str
    platform: Literal["supabase", "postgres"]
    hosting: Hosting
    pooler: Pooler
    standby: bool
    read_only: bool
    has_auth_users: bool
    database: str
    user: str
    is_superuser: bool
    notes: tuple[str, ...] = ()


def describe(connection: psycopg.Connection[Any]) -> Server:
    """Asks the server what it is. An idle connection is idle again afterwards.

    Inside a transaction it only reads, and leaves PostgreSQL's own schema alone on the search path.

    Raises TriggerAuditError for a server that is older than PostgreSQL 14 or no PostgreSQL.
    """
    idle = connection.info.transaction_status is TransactionStatus.IDLE
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            said = cursor.execute(read_sql("database/version.sql")).fetchone()
            notes = check_version(str(said["said"]) if said else "", connection.info.server_version)
            row = cursor.execute(read_sql("database/server.sql")).fetchone()
    finally:
        if idle:
            roll_back(connection)
    assert row is not None
    supabase = bool(row["has_supabase_roles"] or row["has_supautils"])
    host, port = connection.info.host, connection.info.port
    return Server(
        version_num=connection.info.server_version,
        version=str(row["version"]).split(" ", 1)[0],
        platform="supabase" if supabase else "postgres",
        hosting=hosting_of(host, row["privileged_role"]) if supabase else "none",
        pooler=pooler_of(host, port, login=connection.info.user, session_user=str(row["session_user"])),
        standby=row["standby"],
        read_only=row["standby"] or row["default_read_only"],
        has_auth_users=row["has_auth_users"],
        database=row["database"],
        user=row["user"],
        is_superuser=row["is_superuser"],
        notes=notes + _encoding_notes(connection),
    )


def check_version(said: str, version_num: int) -> tuple[str, ...]:
    """Notes on a version that was never tried; TriggerAuditError where the server cannot be audited.

    `said` is what version() returns, `version_num` what the protocol tells (150008).
    """
    other = next((name for mark, name in _OTHERS if mark in said), None)
    if other is None and not re.match(r"(PostgreSQL|EnterpriseDB) ", said):
        other = f"one that calls itself {' '.join(said.split())[:60]!r}"
    if other is not None:
        raise TriggerAuditError(
            f"the server is not PostgreSQL but {other}",
            "trigger-audit reads PostgreSQL's own catalog; point it at a PostgreSQL server",
        )
    major = version_num // 10_000
    if major < OLDEST:
        shown = f"{major}.{version_num % 10_000}" if major >= 10 else f"{major}.{version_num // 100 % 100}"
        raise TriggerAuditError(
            f"the server is PostgreSQL {shown}; trigger-audit needs {OLDEST} or later",
            "upgrade the server, or audit the migration files instead: trigger-audit scan supabase/",
        )
    if major > NEWEST:
        return (f"PostgreSQL {major} is newer than what trigger-audit was tested with ({OLDEST} to {NEWEST})",)
    return ()


def _encoding_notes(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    if connection.info.parameter_status("server_encoding") != "SQL_ASCII":
        return ()
    return ("the database's encoding is SQL_ASCII, so that nobody knows what its bytes mean: they are shown as LATIN1",)


def hosting_of(host: str | None, privileged_role: str | None) -> Hosting:
    """Where a Supabase database runs. Hosted projects name supabase_privileged_role in supautils' settings; the local
    and self-hosted images name postgres."""
    if (host or "").lower().rstrip(".").endswith(_HOSTED) or privileged_role == "supabase_privileged_role":
        return "hosted"
    return "local" if is_loopback(host) else "self-hosted"


def pooler_of(host: str | None, port: int | None, *, login: str | None, session_user: str) -> Pooler:
    """What pools the connections. Supabase's poolers give transactions on port 6543 and sessions on 5432.

    Supavisor's users are named ROLE.TENANT, and the server behind it then sees ROLE alone.
    """
    if port == 6543:
        return "transaction"
    if "pooler." in (host or "").lower():
        return "session"
    role, dot, _ = (login or "").rpartition(".")
    return "session" if dot and session_user == role else "none"


def is_loopback(host: str | None) -> bool:
    """Whether the host is this machine: a socket folder, localhost, or a loopback address."""
    if not host or host.startswith(("/", "@")) or host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
