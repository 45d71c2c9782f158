"""Declared types: what the server makes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trigger_audit.analysis.questions.model import Question, Surroundings
from trigger_audit.analysis.questions.namespace import Fields, Frame, Nature, Shape, Variable, lookup
from trigger_audit.analysis.questions.rewriting import PSEUDO_OIDS, RECORD_OID, Text
from trigger_audit.analysis.questions.state import State
from trigger_audit.analysis.targets import target_parts
from trigger_audit.plpgsql.lexer import BLANKS

if TYPE_CHECKING:
    from trigger_audit.analysis.questions.asking import Asker
    from trigger_audit.plpgsql.tree import Span

# Fixed oids of pg_catalog's types, which comes first on every search path that does not name it.
_KNOWN = {
    "text": 25, "uuid": 2950, "integer": 23, "int": 23, "int4": 23, "bigint": 20, "int8": 20, "smallint": 21,
    "boolean": 16, "bool": 16, "jsonb": 3802, "json": 114, "date": 1082, "numeric": 1700, "timestamptz": 1184,
    "timestamp with time zone": 1184, "timestamp": 1114, "interval": 1186, "text[]": 1009, "uuid[]": 2951,
    "varchar": 1043, "name": 19, "bytea": 17,
}  # fmt: skip
_COPIED = re.compile(
    r"(?P<name>.+?)\s*%\s*(?P<kind>rowtype|type)\s*(?P<array>.*)", re.ASCII | re.IGNORECASE | re.DOTALL
)
_NAME_END = re.compile(r'(?:\s*\.)?\s*(?:"(?:[^"]|"")*"|[^\s."]+)\s*$', re.ASCII)


def variable_of(asker: Asker, name: str, type_text: str, span: Span, frames: Sequence[Frame]) -> Variable:
    """A variable as it is declared. Its type is looked up when PL/pgSQL compiles the function, under the path then."""
    plain = type_text.strip(BLANKS).lower()
    if plain == "record":
        return Variable(name, Nature.RECORD)
    if plain in _KNOWN and "pg_catalog" not in asker.job.search_path:
        return Variable(name, Nature.SCALAR, _KNOWN[plain])
    state = State(asker.job.search_path)
    copied = _COPIED.fullmatch(type_text.strip(BLANKS))
    start = span.start + len(type_text) - len(type_text.lstrip(BLANKS))
    text = Text()
    if copied is None:
        text.add("SELECT NULL::")
        text.copy(type_text.strip(BLANKS), start)
    elif copied["kind"].lower() == "rowtype":
        text.add("SELECT x FROM ")
        text.copy(copied["name"], start)
        text.add(" AS x")
    else:
        of_variable = _type_of_variable(name, copied["name"], frames)
        if of_variable is not None and not copied["array"]:
            return of_variable
        column = _NAME_END.search(copied["name"])
        if column is None or not column.start():
            return Variable(name, Nature.UNKNOWN)
        parts = target_parts(copied["name"])
        text.add("SELECT ARRAY[x." if copied["array"] else "SELECT x.")
        lead = len(column[0]) - len(column[0].lstrip(" \t\r\n."))
        text.copy(column[0][lead:], start + column.start() + lead)
        text.add("] FROM " if copied["array"] else " FROM ")
        text.copy(copied["name"][: column.start()], start)
        text.add(" AS x")
        if len(parts) < 2:
            return Variable(name, Nature.UNKNOWN)
    reply = asker.reply(Question(asker.job.search_path, text.text, ()))
    if reply is None:
        return Variable(name, Nature.PENDING)
    if reply.sqlstate is not None:
        asker.judge(reply, text, span, state)
    if len(reply.columns) != 1:
        return Variable(name, Nature.UNKNOWN)
    return declared(name, reply.columns[0][1], asker.surroundings)


def _type_of_variable(name: str, written: str, frames: Sequence[Frame]) -> Variable | None:
    """`v%TYPE` of a variable in sight."""
    found = lookup(frames, target_parts(written))
    if found is None or found[1] != len(target_parts(written)):
        return None
    return Variable(name, found[0].nature, found[0].oid)


def oid_of(shape: Shape | None) -> int | None:
    """The type of a query's only column."""
    return shape.columns[0][1] if isinstance(shape, Fields) and len(shape.columns) == 1 else None


def declared(name: str, oid: int, surroundings: Surroundings) -> Variable:
    """A variable of a type whose oid is known."""
    if oid == RECORD_OID:
        return Variable(name, Nature.RECORD)
    if oid in PSEUDO_OIDS:
        return Variable(name, Nature.UNKNOWN)
    kind = surroundings.catalog.types.get(oid)
    while kind is not None and kind.kind == "d" and kind.base is not None:
        kind = surroundings.catalog.types.get(kind.base)
    return Variable(name, Nature.COMPOSITE if kind is not None and kind.kind == "c" else Nature.SCALAR, oid)
