"""The parameters of a connection: libpq's are kept, those of frameworks are translated or dropped with a note."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

# Never shown, not even in a repr.
SECRET = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})

# Names that drivers use for what libpq calls otherwise.
_ALIASES = {
    "username": "user",
    "database": "dbname",
    "db": "dbname",
    "hostname": "host",
    "passwd": "password",
    "pwd": "password",
    "applicationname": "application_name",
    "connecttimeout": "connect_timeout",
    "connection_timeout": "connect_timeout",
}
_TRUE = frozenset({"true", "1", "yes", "on", "t"})
_FALSE = frozenset({"false", "0", "no", "off", "f"})
_SSLMODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
# Prisma's own names. Beside them `sslcert` is the server's certificate, where libpq means the client's.
_PRISMA = frozenset({"sslaccept", "sslidentity"})
# Of the parameters that only frameworks know: enough to tell a query string from a password that holds `?` and `=`.
_FRAMEWORKS = frozenset(
    {
        "schema", "connection_limit", "pgbouncer", "pool_timeout", "socket_timeout", "statement_cache_size",
        "sslaccept", "sslidentity", "ssl", "uselibpqcompat", "currentschema", "applicationname", "connecttimeout",
        "logintimeout", "sockettimeout", "targetservertype", "preparethreshold", "tcpkeepalive", "search_path",
        "sslfactory", "server_settings", "prepared_statement_cache_size", "command_timeout", "pool_max_conns",
        "pool_min_conns", "default_query_exec_mode", "statement_timeout", "lock_timeout", "supa", "max", "timeout",
        "pool", "prepare", "prepared_statements", "charset", "encoding", "serverversion", "workaround", "timezone",
    }
)  # fmt: skip


@cache
def libpq_keywords() -> frozenset[str]:
    """The connection parameters that the installed libpq knows."""
    from psycopg.pq import Conninfo

    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def is_known(key: str) -> bool:
    """Whether some driver takes this parameter."""
    return key in libpq_keywords() or key.lower() in _ALIASES or key.lower() in _FRAMEWORKS


def translate(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """libpq's parameters among the pairs, and notes for what was dropped or changed. As in libpq, a later pair wins."""
    given = list(pairs)
    kept: dict[str, str] = {}
    dropped: list[str] = []
    notes: list[str] = []
    ssl: str | None = None
    prisma = any(key in _PRISMA for key, _ in given)
    for key, value in given:
        keyword = key if key in libpq_keywords() else _ALIASES.get(key.lower(), key)
        if keyword == "ssl":
            ssl = _ssl(value)
        elif keyword == "sslmode" and value == "no-verify":
            kept["sslmode"] = "require"
            notes.append("sslmode=no-verify is node's name; taken as sslmode=require")
        elif keyword in ("client_encoding", "replication") or (prisma and keyword == "sslcert"):
            # The encoding is always UTF8 here; a replication connection runs no queries.
            dropped.append(key)
        elif keyword in libpq_keywords():
            kept[keyword] = value
        else:
            dropped.append(key)
    if ssl is not None and "sslmode" not in kept:
        kept["sslmode"] = ssl
    if dropped:
        names = ", ".join(dict.fromkeys(dropped))
        notes.append(f"connection parameters that PostgreSQL's client library does not take were dropped: {names}")
    return kept, tuple(notes)


def _ssl(value: str) -> str:
    # A driver's ssl=true wants encryption; whether it checks the certificate differs, and libpq's own reading of
    # ssl=true in a URL is sslmode=require. ssl=false means "not asked for", which is libpq's default.
    folded = value.lower()
    if folded in _TRUE:
        return "require"
    if folded in _FALSE:
        return "prefer"
    return folded if folded in _SSLMODES else "require"
