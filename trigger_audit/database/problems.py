"""What PostgreSQL, libpq and the poolers say when something fails, in plain words and with a remedy."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from trigger_audit.database.dsn import Dsn
from trigger_audit.database.redact import redact
from trigger_audit.errors import TriggerAuditError

_LONGEST = 400
_DIRECT_HOST = re.compile(r"db\.([a-z0-9]+)\.supabase\.(?:co|com|net|red)\.?$", re.IGNORECASE)
_POOLER_HOST = re.compile(r"\.pooler\.supabase\.(?:co|com)\.?$", re.IGNORECASE)

_SESSION_POOLER = (
    "take the session pooler's URL, which has an IPv4 address (dashboard, Connect, Session pooler: "
    "postgresql://postgres.REF:...@aws-N-REGION.pooler.supabase.com:5432/postgres)"
)


@dataclass(frozen=True, slots=True)
class _Problem:
    """How to tell a failure: by one of the SQLSTATEs or, while connecting, where there is none, by the text."""

    sqlstates: frozenset[str]
    text: re.Pattern[str]
    message: Callable[[Dsn], str]
    remedy: Callable[[Dsn], str | None]


def explain(error: psycopg.Error, dsn: Dsn) -> TriggerAuditError:
    """The error as one line and a remedy, without the password. Raise it `from None`: libpq's error knows more."""
    said = " ".join(str(error).split())
    words = _shortened(redact(_server_words(said), dsn.secret_texts()))
    sqlstate = error.sqlstate
    # PgBouncer gives all its own errors the same SQLSTATE.
    by_text = sqlstate is None or sqlstate == "08P01"
    for problem in _PROBLEMS:
        if sqlstate in problem.sqlstates if not by_text else problem.text.search(said):
            # While connecting libpq tells no SQLSTATE: then the text has found the problem, and is as worth telling.
            detail = f": {words}" if sqlstate in _SAY_WHAT or (by_text and "42501" in problem.sqlstates) else ""
            return TriggerAuditError(problem.message(dsn) + detail, problem.remedy(dsn))
    state = f" ({sqlstate})" if sqlstate else ""
    return TriggerAuditError(f"the database refused: {words}{state}")


@contextlib.contextmanager
def explained(dsn: Dsn) -> Iterator[None]:
    """Turns every psycopg error of the block into a TriggerAuditError in plain words."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error, dsn) from None


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def _server_words(said: str) -> str:
    """Without libpq's own wrapping around what the server said."""
    said = re.sub(r"^connection failed: ", "", said)
    return re.sub(r"^connection to server (?:at|on) .*? failed: (?:FATAL: +)?", "", said) or "no reason given"


def _user(dsn: Dsn) -> str:
    return f"user {dsn.user}" if dsn.user else "the user"


def _network_remedy(dsn: Dsn) -> str:
    if _DIRECT_HOST.search(dsn.host):
        return (
            f"a project's direct host has an IPv6 address only, and this network may have none: {_SESSION_POOLER}; "
            "if that fails too, the project is paused or its reference is mistyped"
        )
    if _POOLER_HOST.search(dsn.host):
        return "copy the pooler's host from the dashboard (Connect): the number in aws-N-REGION cannot be guessed"
    return "check the host, and that this machine reaches it"


def _refused_remedy(dsn: Dsn) -> str:
    if "54322" in dsn.port:
        return "is the local project running? `supabase start` starts it, `supabase status` shows its URL"
    return "is the server running there, and is the port right? A local Supabase project listens on port 54322"


def _password_remedy(dsn: Dsn) -> str:
    password = dsn.password
    if password is None:
        return "give the password in the URL, in PGPASSWORD or in a password file"
    if password.startswith("[") and password.endswith("]"):
        return "the password in the URL stands in brackets, as in the dashboard's example: leave the brackets out"
    remedy = "check the password (Supabase: it can be reset under Database settings)"
    if dsn.written and re.search(r"[^A-Za-z0-9._~-]", re.sub(r"%[0-9A-Fa-f]{2}", "", dsn.written[0])):
        remedy += "; special characters in a URL are percent-encoded: @ is %40, # is %23, / is %2F, % is %25"
    if "6543" in dsn.port or _POOLER_HOST.search(dsn.host):
        remedy += "; repeated failures block an address at the pooler for a while"
    return remedy


def _tenant_remedy(dsn: Dsn) -> str:
    user = dsn.user or "postgres"
    if "." not in user:
        return f"the pooler wants the project's reference in the user name: {user}.REF instead of {user}"
    return "copy the URL from the dashboard (Connect): the host's region and number and the reference must all fit"


def _entry_remedy(dsn: Dsn) -> str:
    # The server says "no encryption" of every plain connection, wanted or not.
    if dsn.parameters.get("sslmode") in ("disable", "allow"):
        return "it may want encryption: add sslmode=require to the URL"
    return "the server's administrator has to allow it; on Supabase check the network restrictions"


def _ssl_remedy(dsn: Dsn) -> str:
    return "use sslmode=prefer, or leave sslmode out (a local Supabase project has no TLS)"


def _privilege_remedy(dsn: Dsn) -> str:
    return "connect as a role that may read it: postgres on Supabase"


def _problem(
    sqlstates: str, text: str, message: str | Callable[[Dsn], str], remedy: str | Callable[[Dsn], str | None] | None
) -> _Problem:
    return _Problem(
        frozenset(sqlstates.split()),
        re.compile(text, re.IGNORECASE),
        message if callable(message) else lambda _: message,
        remedy if callable(remedy) else lambda _: remedy,
    )


# The SQLSTATEs whose message names an object that the user needs to know.
_SAY_WHAT = frozenset({"42501", "53300", "25006", "28000"})

# In this order: a pooler's text may hold words of the ones below.
_PROBLEMS = (
    _problem(
        "",
        r"tenant or user not found|ENOTFOUND|tenant/user .* not found|no tenant identifier|external_id",
        lambda dsn: f"the pooler at {dsn.place} does not know {_user(dsn)}",
        _tenant_remedy,
    ),
    _problem(
        "28P01 28000",
        r"password authentication failed|no password supplied|empty password|wrong password|SASL authentication failed"
        r"|SCRAM|authentication error",
        lambda dsn: (
            f"{dsn.place} refuses the password of {_user(dsn)}"
            if dsn.password is not None
            else f"{dsn.place} wants a password for {_user(dsn)}"
        ),
        _password_remedy,
    ),
    _problem(
        "",
        r"could not translate host name|failed to resolve host|name or service not known|nodename nor servname"
        r"|temporary failure in name resolution|no address associated",
        lambda dsn: f"the host name {dsn.host} leads to no address",
        _network_remedy,
    ),
    _problem(
        "",
        r"network is unreachable|no route to host|cannot assign requested address|address family not supported",
        lambda dsn: f"the network does not reach {dsn.place}",
        _network_remedy,
    ),
    _problem(
        "",
        r"server does not support SSL|SSL was required",
        lambda dsn: f"{dsn.place} has no TLS, and the URL requires it",
        _ssl_remedy,
    ),
    _problem(
        "",
        r"no pg_hba\.conf entry|pg_hba\.conf rejects connection",
        lambda dsn: f"{dsn.place} does not let {_user(dsn)} in from this address (pg_hba.conf)",
        _entry_remedy,
    ),
    _problem(
        "",
        r"SSL connection is required|SSL required|encryption is required",
        lambda dsn: f"{dsn.place} wants an encrypted connection",
        "add sslmode=require to the URL",
    ),
    _problem(
        "",
        r"invalid sslmode value|sslmode .* invalid",
        "the URL names an unknown sslmode",
        "one of disable, allow, prefer, require, verify-ca, verify-full",
    ),
    _problem(
        "",
        r"root certificate file|certificate verify failed|server certificate for|self.signed certificate",
        lambda dsn: f"the certificate of {dsn.place} could not be checked",
        "give sslrootcert=FILE (Supabase: the certificate is in the dashboard, Database settings), or sslmode=require",
    ),
    _problem(
        "3D000",
        r"database \".*\" does not exist",
        lambda dsn: f"there is no database {dsn.database} at {dsn.place}",
        "Supabase's database is named postgres",
    ),
    _problem(
        "",
        r"role \".*\" (?:does not exist|is not permitted to log in)",
        lambda dsn: f"{_user(dsn)} cannot log in at {dsn.place}",
        "Supabase's role is named postgres, and postgres.REF at the pooler",
    ),
    _problem(
        "53300",
        r"too many (?:clients|connections)|max client connections|remaining connection slots|MaxClientsInSessionMode",
        lambda dsn: f"{dsn.place} has no free connection",
        "close other clients or try again; the transaction pooler (port 6543) shares connections",
    ),
    _problem(
        "",
        r"connection refused",
        lambda dsn: f"nothing answers at {dsn.place}: connection refused",
        _refused_remedy,
    ),
    _problem(
        "",
        r"no such file or directory",
        lambda dsn: f"no server listens on the local socket of {dsn.place}",
        "is the server running? A host in the URL (127.0.0.1) avoids the socket",
    ),
    _problem(
        "",
        r"timeout expired|timed out|connection timeout",
        lambda dsn: f"{dsn.place} does not answer in time",
        _network_remedy,
    ),
    _problem(
        "57P03",
        r"the database system is (?:starting up|shutting down|in recovery mode|not yet accepting)",
        lambda dsn: f"{dsn.place} does not accept connections at the moment: it starts or shuts down",
        "try again in a moment",
    ),
    _problem(
        "57P01 57P02 08006 08003",
        r"server closed the connection|terminating connection|connection is lost|connection is closed"
        r"|connection reset|consuming input failed|broken pipe|SSL SYSCALL|could not receive data|unexpected eof",
        lambda dsn: f"the connection to {dsn.place} was lost",
        "the server or a pooler ended it; everything was rolled back, and the command can be run again",
    ),
    _problem(
        "25P03",
        "idle-in-transaction timeout",
        lambda dsn: f"{dsn.place} ended the connection: its transaction was idle for too long",
        "run the command again; everything was rolled back",
    ),
    _problem("42501", "permission denied", "the role may not do this", _privilege_remedy),
    _problem(
        "57014",
        "canceling statement due to",
        "a statement was cancelled: it took too long (statement_timeout), or someone ended it",
        "the server is busy or the catalog very large: try again, or limit the tables with --table",
    ),
    _problem(
        "55P03",
        "lock timeout",
        "another session holds a lock that is needed (lock_timeout)",
        "try again when the migration or maintenance that holds it is over",
    ),
    _problem("40P01", "deadlock detected", "another session's locks collided with ours (deadlock)", "try again"),
    _problem(
        "25006",
        "read-only transaction",
        "the server only reads: it is a standby, or its transactions are read-only by default",
        "scan works here; for smoke give the URL of the primary",
    ),
    _problem(
        "26000 42P05",
        r"prepared statement .* (?:does not exist|already exists)",
        lambda dsn: f"the pooler at {dsn.place} hands statements to other sessions (transaction mode)",
        "use the session pooler (port 5432) or the direct connection",
    ),
    _problem(
        "",
        "transaction blocks not allowed in statement pooling mode",
        lambda dsn: f"the pooler at {dsn.place} allows no transactions (statement mode)",
        "use a pooler in session or transaction mode, or the direct connection",
    ),
    _problem(
        "",
        r"unsupported startup parameter",
        lambda dsn: f"the pooler at {dsn.place} refuses a startup parameter",
        "leave `options` out of the URL and unset PGOPTIONS",
    ),
    _problem(
        "",
        r"received invalid response to|expected authentication request|invalid (?:packet|protocol)",
        lambda dsn: f"what answers at {dsn.place} is not PostgreSQL",
        "check host and port",
    ),
)
