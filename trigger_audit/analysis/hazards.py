"""What the cascade does that ROLLBACK does not undo.

pg_net's functions (net.http_*) are none: they queue a row. NOTIFY is none: it goes out at commit only. Statistics,
dead rows and the server's log are what every run leaves.

EXECUTE of a text that is not one constant is a hazard only where a literal in it names one of the calls below
(`EXECUTE 'SELECT http_get(' || ...`) or COPY ... PROGRAM: nearly every dynamic statement in a trigger writes a table,
and refusing them all would refuse to run what is harmless.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.calls import sql_of
from trigger_audit.analysis.dynamic import command_of, constant_command
from trigger_audit.analysis.model import Hazard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigger_audit.analysis.model import Cascade, FunctionCall, Site, SqlFacts
    from trigger_audit.catalog.model import Catalog

REQUEST = "sends an HTTP request at once"
REMOTE = "works in another session, which commits on its own"
FOREIGN = "writes to a foreign table, whose server may keep it"
LOCK = "takes an advisory lock that the session keeps"
BACKEND = "acts on the server or on other sessions at once"
FILE = "reads or writes a file, or runs a program, on the server"
ROLE = "gives what follows the rights of the role that runs trigger-audit"
TABLE_LOCK = "locks a table against everybody else until the end of the run"
SEQUENCE = "advances a sequence: numbers are skipped"

_HTTP = frozenset("http http_get http_post http_put http_patch http_delete http_head http_set_curlopt".split())
_LOCKS = frozenset(
    f"pg_{kind}advisory_{what}"
    for kind in ("", "try_")
    for what in ("lock", "lock_shared")
) | {"pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"}  # fmt: skip
_BACKEND = frozenset(
    "pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_switch_wal pg_promote "
    "pg_wal_replay_pause pg_wal_replay_resume pg_create_restore_point pg_logical_emit_message "
    "pg_create_physical_replication_slot pg_create_logical_replication_slot pg_drop_replication_slot "
    "pg_stat_reset pg_stat_reset_shared pg_stat_reset_single_table_counters pg_stat_reset_single_function_counters "
    "pg_stat_reset_slru pg_stat_statements_reset".split()
)
_FILES = frozenset("lo_import lo_export pg_read_file pg_read_binary_file pg_file_write pg_file_unlink".split())
_SEQUENCES = frozenset(("nextval", "setval"))
_OWN_SCHEMAS = (None, "pg_catalog")
_IDENTIFIER_CALL = re.compile(r"(?:\b(\w+)\s*\.\s*)?\b(\w+)\s*\(")
_PROGRAM = re.compile(r"\A\s*COPY\b.*\b(?:PROGRAM\b|(?:FROM|TO)\s+')", re.IGNORECASE | re.DOTALL)
# Auth's session has nothing to go back to, but ours may be a superuser's that only plays Auth's role.
_OTHER_ROLE = re.compile(
    r"\A\s*(?:RE)?SET\s+(?:LOCAL\s+|SESSION\s+)?(?:SESSION\s+AUTHORIZATION|SESSION_AUTHORIZATION|ROLE)\b"
    r"|\bset_config\s*\(\s*'(?:role|session_authorization)'",
    re.IGNORECASE,
)
_TABLE_LOCK = re.compile(r"\A\s*LOCK\b", re.IGNORECASE)
_PROGRAM_ANYWHERE = re.compile(r"\bCOPY\b.*\bPROGRAM\b", re.IGNORECASE | re.DOTALL)


def hazards(cascade: Cascade, catalog: Catalog) -> tuple[Hazard, ...]:
    """Each once, by function and line. Those that only advance sequences are `sequences`."""
    return _collected(cascade, catalog, sequences_only=False)


def sequences(cascade: Cascade, catalog: Catalog) -> tuple[Hazard, ...]:
    """Explicit nextval and setval, which ROLLBACK does not undo either: to be announced, nothing to refuse."""
    return _collected(cascade, catalog, sequences_only=True)


def _collected(cascade: Cascade, catalog: Catalog, *, sequences_only: bool) -> tuple[Hazard, ...]:
    found: dict[Hazard, None] = {}
    seen: set[tuple[int, int, tuple[str, ...]]] = set()
    for site in cascade.sites:
        key = site.facts.function.oid, id(site.statement), site.visit.search_path
        if key not in seen:
            seen.add(key)
            for hazard in _of_site(site, catalog):
                if (hazard.effect == SEQUENCE) is sequences_only:
                    found[hazard] = None
    return tuple(sorted(found, key=lambda hazard: (hazard.function, hazard.line or 0, hazard.call, hazard.effect)))


def _of_site(site: Site, catalog: Catalog) -> Iterator[Hazard]:
    for sql in sql_of(site, catalog):
        for call in sql.calls:
            effect = _effect(call.schema, call.name)
            if effect is not None and not _is_of_user(call, site, catalog):
                yield _hazard(site, call.span.start, _written(call.schema, call.name), effect)
        for write in sql.writes:
            table = catalog.table(write.target.schema, write.target.name, site.visit.search_path)
            if table is not None and table.kind == "f":
                yield _hazard(site, write.span.start, f"{write.kind} {table.name}", FOREIGN)
        if not sql.is_expression and sql.node is None and _PROGRAM.search(sql.fragment.text):
            yield _hazard(site, _start(site, sql), "COPY", FILE)
        if not sql.is_expression and _TABLE_LOCK.search(sql.fragment.text):
            yield _hazard(site, _start(site, sql), "LOCK", TABLE_LOCK)
        if found := _OTHER_ROLE.search(sql.fragment.text):
            yield _hazard(site, _start(site, sql), " ".join(found[0].split()), ROLE)
    command = command_of(site.statement.statement)
    if command is not None and constant_command(site, catalog) is None:
        for sql in site.statement.sql:
            if sql.fragment is command:
                yield from _of_text(site, sql)


def _start(site: Site, sql: SqlFacts) -> int:
    """Where the SQL begins; the text of an EXECUTE that is put together has no place but its statement's."""
    return max(sql.fragment.span.start, site.statement.span.start)


def _of_text(site: Site, sql: SqlFacts) -> Iterator[Hazard]:
    """What the literals of a command's text that is put together name."""
    if sql.node is None:
        return
    for literal in sql.node.find_all(exp.Literal):
        if not literal.is_string:
            continue
        text = str(literal.this)
        for schema, name in _IDENTIFIER_CALL.findall(text):
            effect = _effect(schema.lower() or None, name.lower())
            if effect is not None:
                call = _written(schema.lower() or None, name.lower())
                yield _hazard(site, sql.fragment.span.start, call, effect)
        if _PROGRAM_ANYWHERE.search(text):
            yield _hazard(site, sql.fragment.span.start, "COPY", FILE)


def _effect(schema: str | None, name: str) -> str | None:
    # `net.http_post` only queues, the http extension's `http_post` sends at once; its schema is wherever it was put.
    if name in _HTTP and schema != "net":
        return REQUEST
    if name == "dblink" or name.startswith("dblink_"):
        return REMOTE
    if name in ("pg_background_launch", "pg_background_detach"):
        return REMOTE
    if schema not in _OWN_SCHEMAS and name != "pg_stat_statements_reset":
        return None
    if name in _LOCKS:
        return LOCK
    if name in _BACKEND:
        return BACKEND
    if name in _FILES:
        return FILE
    return SEQUENCE if name in _SEQUENCES else None


def _is_of_user(call: FunctionCall, site: Site, catalog: Catalog) -> bool:
    """Whether a function of the user's own bears the name: then its body is in the cascade, and speaks for itself."""
    schemas = (call.schema,) if call.schema is not None else site.visit.search_path
    return any(
        function.language in ("plpgsql", "sql")
        for schema in schemas
        for function in catalog.functions_by_name.get((schema, call.name), ())
    )


def _written(schema: str | None, name: str) -> str:
    return name if schema is None else f"{schema}.{name}"


def _hazard(site: Site, offset: int, call: str, effect: str) -> Hazard:
    line = None if site.facts.body is None else site.facts.body.source.place(offset)[0]
    return Hazard(site.facts.function.name, line, call, effect)
