"""Which functions that are built in or of an extension do what ROLLBACK does not undo, by name."""

from __future__ import annotations

import re

REQUEST = "sends an HTTP request at once"
REMOTE = "works in another session, which commits on its own"
FOREIGN = "writes to a foreign table, whose server may keep it"
LOCK = "takes an advisory lock that the session keeps"
BACKEND = "acts on the server or on other sessions at once"
FILE = "reads or writes a file, or runs a program, on the server"
TABLE_LOCK = "locks a table against others until the end of the run"
SET_SEQUENCE = "sets a sequence, which stays set: numbers in use may come again"
SEQUENCE = "advances a sequence: numbers are skipped"

QUERY_RUNNERS = frozenset(
    "query_to_xml query_to_xmlschema query_to_xml_and_xmlschema ts_stat ts_rewrite crosstab crosstab2 crosstab3 "
    "crosstab4 crosstab_hash".split()
)
"""Functions that run the text of a query which they are given."""

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
    "pg_copy_physical_replication_slot pg_copy_logical_replication_slot pg_replication_slot_advance "
    "pg_logical_slot_get_changes pg_logical_slot_get_binary_changes pg_start_backup pg_stop_backup "
    "pg_backup_start pg_backup_stop".split()
)
_STATISTICS = re.compile(r"pg_stat_(?:statements_)?reset(?:_\w+)?")
_FILES = frozenset(
    "lo_import lo_export pg_read_file pg_read_binary_file pg_file_write pg_file_unlink pg_file_rename "
    "pg_file_sync".split()
)
_SCHEMAS = {"aws_lambda": REQUEST, "aws_s3": REQUEST, "utl_file": FILE}
"""Schemas of extensions all of whose functions do the like."""

_OWN_SCHEMAS = (None, "pg_catalog")
_CALL = re.compile(r'(?:(?<!\w)"?(\w+)"?\s*\.\s*)?(?<!\w)"?(\w+)"?\s*\(')


def effect_of(schema: str | None, name: str) -> str | None:
    """What a call does that stays, or None. The schema is None where the text names none."""
    # `net.http_post` only queues, the http extension's `http_post` sends at once; its schema is wherever it was put.
    if name in _HTTP and schema != "net":
        return REQUEST
    if name == "dblink" or name.startswith("dblink_"):
        return REMOTE
    if schema in _SCHEMAS:
        return _SCHEMAS[schema]
    if name in ("pg_background_launch", "pg_background_detach"):
        return REMOTE
    if name == "pg_stat_statements_reset":
        return BACKEND
    return built_in_effect(name) if schema in _OWN_SCHEMAS else None


def built_in_effect(name: str) -> str | None:
    """What a function of pg_catalog of this name does that stays, or None."""
    if name in _LOCKS:
        return LOCK
    if name in _BACKEND or _STATISTICS.fullmatch(name):
        return BACKEND
    if name in _FILES:
        return FILE
    return {"setval": SET_SEQUENCE, "nextval": SEQUENCE}.get(name)


def calls_in(text: str) -> dict[tuple[str | None, str], str]:
    """(schema, name) and effect of what looks like a call in a text that nobody parses."""
    found: dict[tuple[str | None, str], str] = {}
    for schema, name in _CALL.findall(text):
        key = (schema.lower() or None, name.lower())
        effect = effect_of(*key)
        if effect is not None:
            found[key] = effect
    return found


def written(schema: str | None, name: str) -> str:
    """A call as a hazard shows it."""
    return name if schema is None else f"{schema}.{name}"
