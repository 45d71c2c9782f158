"""Commands that do what ROLLBACK does not undo at once: COPY with files and programs, and locks that shut others out.

A table's lock stays until the end of the transaction. Whatever is stronger than ROW EXCLUSIVE, which every INSERT
takes, counts; relations that are not there before the run are nobody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trigger_audit.analysis.effects import FILE, TABLE_LOCK, calls_in, written

if TYPE_CHECKING:
    from trigger_audit.catalog.stored import Behind

UNKNOWN = "\0"
"""Stands in a text for what is only known at run time."""

_ROW_EXCLUSIVE = 3
"""libpg_query gives LOCK's mode as PostgreSQL's lockdefs.h counts: 3 is ROW EXCLUSIVE."""

_OF_TABLE = {
    "AlterTableStmt": "ALTER", "IndexStmt": "CREATE INDEX ON", "RefreshMatViewStmt": "REFRESH",
    "ClusterStmt": "CLUSTER", "ReindexStmt": "REINDEX", "CreateTrigStmt": "CREATE TRIGGER ON",
    "RuleStmt": "CREATE RULE ON",
    "CreatePolicyStmt": "CREATE POLICY ON", "AlterPolicyStmt": "ALTER POLICY ON", "RenameStmt": "ALTER",
    "AlterObjectSchemaStmt": "ALTER", "AlterSeqStmt": "ALTER", "LockStmt": "LOCK", "TruncateStmt": "TRUNCATE",
    "VacuumStmt": "VACUUM", "CreateStmt": "CREATE TABLE WITH",
}  # fmt: skip
_ON_TABLE = ("OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY")
_DROPPED = (
    "OBJECT_TABLE", "OBJECT_INDEX", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE",
)  # fmt: skip

_START = r"(?:\A|;|\b(?:BEGIN|THEN|LOOP|ELSE|DO)\b)\s*"
_NAME = r'(?P<name>(?:"[^"]*"|[\w$.\0])+)'
_COPY = re.compile(_START + r"COPY\b", re.IGNORECASE)
_KINDS = r"(?:TABLE|INDEX|VIEW|MATERIALIZED\s+VIEW|FOREIGN\s+TABLE|SEQUENCE)"
_EXISTS = r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
_LOCKING = tuple(
    (command, known, re.compile(pattern + _NAME, re.IGNORECASE | re.DOTALL))
    for command, known, pattern in (
        ("LOCK", False, _START + r"LOCK\s+(?:TABLE\s+)?(?:ONLY\s+)?"),
        ("TRUNCATE", False, _START + r"TRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?"),
        ("REFRESH", False, _START + r"REFRESH\s+MATERIALIZED\s+VIEW\s+(?:CONCURRENTLY\s+)?"),
        ("CLUSTER", False, _START + r"CLUSTER\s+"),
        ("REINDEX", False, _START + r"REINDEX\s+(?:TABLE|INDEX)\s+"),
        ("ALTER", True, _START + rf"ALTER\s+{_KINDS}\s+{_EXISTS}(?:ONLY\s+)?"),
        ("DROP", True, _START + rf"DROP\s+{_KINDS}\s+{_EXISTS}"),
        ("CREATE INDEX ON", True, _START + r"CREATE\s+(?:UNIQUE\s+)?INDEX\b[^;]*?\bON\s+(?:ONLY\s+)?"),
        ("CREATE TRIGGER ON", True, _START + r"CREATE\s+(?:OR\s+REPLACE\s+|CONSTRAINT\s+)*TRIGGER\b[^;]*?\bON\s+"),
        ("POLICY ON", True, _START + r"(?:CREATE|ALTER|DROP)\s+POLICY\b[^;]*?\bON\s+"),
        ("DROP TRIGGER ON", True, _START + r"DROP\s+TRIGGER\b[^;]*?\bON\s+"),
        ("CREATE TABLE WITH", True, _START + r"CREATE\s+TABLE\b[^;]*?\b(?:REFERENCES|PARTITION\s+OF)\s+"),
    )
)
_WEAK_MODE = re.compile(r"\bIN\s+(?:ACCESS\s+SHARE|ROW\s+SHARE|ROW\s+EXCLUSIVE)\s+MODE", re.IGNORECASE)
_PART = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[\w$\0]+)')


def of_command(text: str, behind: Behind, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(what is called, effect) of one statement that is no query and no expression."""
    for kind, fields in _nodes(text):
        if kind == "CopyStmt":
            if "filename" in fields:
                yield "COPY", FILE
        elif kind == "DoStmt":
            for block in _strings(fields):
                yield from of_text(block, behind)
        else:
            command, names = _locked(kind, fields)
            for schema, name in names:
                relation = _relation(schema, name, behind, path)
                if relation is not None:
                    yield f"{command} {relation}", TABLE_LOCK


def of_text(text: str, behind: Behind) -> Iterator[tuple[str, str]]:
    """(what is called, effect) of a text that is not parsed, because a part of it is only known at run time."""
    for (schema, name), effect in calls_in(text).items():
        yield written(schema, name), effect
    if _COPY.search(text):
        yield "COPY", FILE
    for command, known, pattern in _LOCKING:
        for found in pattern.finditer(text):
            if command == "LOCK" and _WEAK_MODE.search(text, found.end()):
                continue
            relation = _possible(found["name"], behind, must_know=known)
            if relation is not None:
                yield f"{command} {relation}", TABLE_LOCK


@lru_cache(maxsize=512)
def _nodes(text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """(kind, fields) of each statement in a text; () where PostgreSQL's grammar refuses it."""
    import pgparse

    try:
        statements: list[Any] = pgparse.parse(text)
    except (pgparse.PGQueryError, ValueError, UnicodeError, RecursionError):
        return ()
    return tuple(item for statement in statements for item in statement["stmt"].items())


def _locked(kind: str, fields: dict[str, Any]) -> tuple[str, list[tuple[str | None, str]]]:
    """The command in words, and the relations whose lock shuts others out."""
    if kind == "DropStmt":
        return _dropped(fields)
    command = _OF_TABLE.get(kind)
    if command is None:
        return "", []
    if (kind == "LockStmt" and fields.get("mode", 8) <= _ROW_EXCLUSIVE) or (
        kind == "VacuumStmt" and not fields.get("is_vacuumcmd")
    ):
        return "", []
    if kind == "CreateStmt":
        return command, [*_ranges(fields.get("inhRelations", [])), *_referenced(fields)]
    found = [fields[key] for key in ("relation", "table", "sequence") if key in fields]
    if kind in ("LockStmt", "TruncateStmt"):
        return command, list(_ranges(fields.get("relations", [])))
    if kind == "VacuumStmt":
        found += [each["VacuumRelation"]["relation"] for each in fields.get("rels", ())]
    return command, [*map(_range, found), *_referenced(fields)]


def _dropped(fields: dict[str, Any]) -> tuple[str, list[tuple[str | None, str]]]:
    kind = fields["removeType"]
    names: list[list[str]] = []
    for each in fields.get("objects", ()):
        items = each["List"]["items"] if "List" in each else [each]
        names.append([item["String"]["sval"] for item in items if "String" in item])
    if kind == "OBJECT_SCHEMA":
        return "DROP SCHEMA", [(parts[-1], "") for parts in names if parts]
    if kind in _ON_TABLE:
        names = [parts[:-1] for parts in names]
    elif kind not in _DROPPED:
        return "", []
    return "DROP", [(parts[-2] if len(parts) > 1 else None, parts[-1]) for parts in names if parts]


def _referenced(node: Any) -> Iterator[tuple[str | None, str]]:
    """The tables of REFERENCES and ATTACH PARTITION."""
    if isinstance(node, list):
        for each in node:
            yield from _referenced(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "pktable" or (key == "name" and isinstance(value, dict) and "relname" in value):
                yield _range(value)
            else:
                yield from _referenced(value)


def _ranges(nodes: list[Any]) -> Iterator[tuple[str | None, str]]:
    return (_range(node["RangeVar"]) for node in nodes)


def _range(node: dict[str, Any]) -> tuple[str | None, str]:
    return node.get("schemaname"), node["relname"]


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _strings(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "sval" and isinstance(value, str):
                yield value
            else:
                yield from _strings(value)


def _relation(schema: str | None, name: str, behind: Behind, path: tuple[str, ...]) -> str | None:
    """The name of a relation that was there before the run; an index stands for itself. Of a schema, any."""
    if not name:
        return schema if any(relation.schema == schema for relation in behind.relations.values()) else None
    for candidate in (schema,) if schema is not None else path:
        if (candidate, name) in behind.relations_by_name:
            return f"{candidate}.{name}"
    return None


def _possible(name: str, behind: Behind, *, must_know: bool) -> str | None:
    """A name of a text as shown, if it may mean a relation that is there; unknown parts may be anything."""
    parts = [found["plain"].lower() if found["quoted"] is None else found["quoted"] for found in _PART.finditer(name)][
        -2:
    ]
    if not parts or (must_know and all(set(part) == {UNKNOWN} for part in parts)):
        return None
    patterns = [re.compile(".*".join(map(re.escape, part.split(UNKNOWN))), re.DOTALL) for part in parts]
    for schema, relation in behind.relations_by_name:
        if all(pattern.fullmatch(own) for pattern, own in zip(reversed(patterns), (relation, schema), strict=False)):
            return ".".join(part.replace(UNKNOWN, "?") for part in parts)
    return None
