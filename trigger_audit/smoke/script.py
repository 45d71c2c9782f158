"""The user's own statements: read out of a file, and refused where they are none that can be tried and taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trigger_audit.errors import UsageError
from trigger_audit.sandbox.splitter import Kind, Piece, split
from trigger_audit.visible import plain

_WRITES = {"InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "MergeStmt": "MERGE"}
_PARAMETERS = frozenset({"ParamRef"})
_CALLS = frozenset({"FuncCall", "A_Expr", "TypeCast"})
# It counts from the start of the statement, not of the file.
_POSITION = re.compile(r" at position \d+$")
_ALLOWED = "only INSERT, UPDATE, DELETE, MERGE and SELECT are run"


@dataclass(frozen=True, slots=True)
class Target:
    """A relation that a statement writes, named as written: `schema` None without one. `kind` is INSERT, UPDATE ..."""

    kind: str
    schema: str | None
    relation: str


@dataclass(frozen=True, slots=True)
class OwnStatement:
    """One statement without its semicolon. `start` is its place in the script in characters, `line` counts from 1.

    `kind` is that of the statement itself, SELECT included; `targets` are what it writes, its own first, then those of
    its WITH. `rows` is how many rows an INSERT ... VALUES gives, None where that decides nothing: ON CONFLICT may leave
    some out, and a query may give any number. `calls`: functions, operators or casts stand in it, which may do
    anything.
    """

    text: str
    start: int
    line: int
    kind: str
    targets: tuple[Target, ...]
    rows: int | None
    calls: bool


@dataclass(frozen=True, slots=True)
class Script:
    """`name` is the file's, `text` all of it."""

    name: str
    text: str
    statements: tuple[OwnStatement, ...]


def read_script(name: str, text: str) -> Script:
    """The statements of a file in order. UsageError, naming the line, for what is not to be run and for bad syntax.

    PostgreSQL's own grammar reads them (libpg_query), with standard_conforming_strings on.
    """
    pieces = (piece for piece in split(text) if piece.kind is not Kind.BLANK)
    statements = tuple(found for piece in pieces if (found := _statement(name, piece)) is not None)
    if not any(found.targets for found in statements):
        raise UsageError(f"{plain(name)} holds no statement that writes a table", _ALLOWED)
    return Script(name, text, statements)


def _statement(name: str, piece: Piece) -> OwnStatement | None:
    import pgparse

    text = piece.statement
    if piece.kind is Kind.PSQL_COMMAND:
        raise _refused(name, piece.line, "a command of psql's, which no server knows")
    if not text:
        return None  # a semicolon alone
    try:
        parsed: list[Any] = pgparse.parse(text)
    except pgparse.PGQueryError as error:
        line = piece.line + text[: max(0, (error.position or 1) - 1)].count("\n")
        raise _refused(name, line, plain(_POSITION.sub("", " ".join(str(error).split())))) from None
    except (ValueError, UnicodeError):
        raise _refused(name, piece.line, "holds a character that PostgreSQL does not take") from None
    except RecursionError:
        raise _refused(name, piece.line, "nested too deeply to be read") from None
    if len(parsed) != 1:
        raise _refused(name, piece.line, "not one statement")
    ((node, fields),) = parsed[0]["stmt"].items()
    kind = _WRITES.get(node) or ("SELECT" if node == "SelectStmt" else None)
    if kind is None or _makes_table(fields):
        words = plain(" ".join(text.split()[:2]))[:40]
        raise _refused(name, piece.line, f"{words} ... is no such statement: {_ALLOWED}")
    if _has(fields, _PARAMETERS):
        raise _refused(name, piece.line, "has a parameter ($1), and there are no values to give")
    targets, rows = tuple(_targets(node, fields)), _rows(node, fields)
    return OwnStatement(text, piece.start, piece.line, kind, targets, rows, _has(fields, _CALLS))


def _refused(name: str, line: int, why: str) -> UsageError:
    return UsageError(f"{plain(name)} line {line}: {why}")


def _makes_table(fields: Mapping[str, Any]) -> bool:
    """SELECT INTO makes one; in a set operation INTO stands in the leftmost SELECT."""
    while isinstance(fields, Mapping):
        if "intoClause" in fields:
            return True
        fields = fields.get("larg") or {}
        if not fields:
            return False
        fields = fields.get("SelectStmt", fields)
    return False


def _has(fields: Any, kinds: frozenset[str]) -> bool:
    """Whether a node of one of these kinds is anywhere in the tree."""
    waiting = [fields]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Mapping):
            if not kinds.isdisjoint(found):
                return True
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
    return False


def _targets(node: str, fields: Mapping[str, Any]) -> Iterator[Target]:
    """What the statement writes, then what its WITH does: a data-modifying one stands at the top level only."""
    if node in _WRITES:
        relation = fields["relation"]
        yield Target(_WRITES[node], relation.get("schemaname"), relation["relname"])
    for entry in fields.get("withClause", {}).get("ctes", ()):
        for inner, query in entry["CommonTableExpr"]["ctequery"].items():
            yield from _targets(inner, query)


def _rows(node: str, fields: Mapping[str, Any]) -> int | None:
    if node != "InsertStmt" or "onConflictClause" in fields:
        return None
    query = fields.get("selectStmt")
    if query is None:
        return 1  # DEFAULT VALUES
    select = query.get("SelectStmt", {})
    # LIMIT and OFFSET may follow VALUES, and leave rows out.
    if "valuesLists" not in select or "limitCount" in select or "limitOffset" in select:
        return None
    return len(select["valuesLists"])
