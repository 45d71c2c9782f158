"""Reads the SQL fragments of a body: what they write, read and call, each with its place in the body.

libpg_query (PostgreSQL's own grammar) is the arbiter of the shape and of names; sqlglot gives the node to look into.
Whatever either refuses is a `problem` of the fragment, never an exception.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from trigger_audit.analysis.expressions import Unreadable, expression_node
from trigger_audit.analysis.model import FunctionCall, Relation, SqlFacts, Write
from trigger_audit.analysis.tokens import TooLong
from trigger_audit.analysis.writes import PgNode, Places, read_truncate, read_write
from trigger_audit.plpgsql.tree import Fragment, Span, SyntaxProblem

_PREFIX = "SELECT "
_WRITES = {"InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "MergeStmt": "MERGE"}
# Nodes with nothing to be found below them, which are most of a tree.
_LEAVES = frozenset({"ColumnRef", "A_Const", "String", "ParamRef"})
# Both parsers count from the start of what they were given, which is no place of the body.
_POSITION = re.compile(r" at position \d+$")
_TOO_DEEP = "nested too deeply to be read"


def read_statement(fragment: Fragment) -> SqlFacts:
    """A whole SQL statement."""
    return _read(fragment, is_expression=False)


def read_expression(fragment: Fragment) -> SqlFacts:
    """A PL/pgSQL expression, which PostgreSQL reads as `SELECT <expression>`.

    `node` is the expression's own, or the Select where it has more than one item or a FROM.
    """
    known = _expression(fragment.text)
    if known.writes:
        return _read(fragment, is_expression=True)
    start = fragment.span.start
    return SqlFacts(
        fragment,
        True,
        known.kept,
        False,
        known.refused,
        (),
        tuple(replace(read, span=_moved(read.span, start)) for read in known.reads),
        tuple(replace(call, span=_moved(call.span, start)) for call in known.calls),
    )


@lru_cache(maxsize=1024)
def _expression(text: str) -> SqlFacts:
    """An expression at the start of a body. `new.id` and its like stand in every function: each is read once."""
    return _read(Fragment(text, Span(0, len(text))), is_expression=True)


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _read(fragment: Fragment, *, is_expression: bool) -> SqlFacts:
    prefix = _PREFIX if is_expression else ""
    # pgparse takes no NUL and no lone surrogate; neither can stand in a body that PostgreSQL holds.
    text = prefix + fragment.text
    try:
        places = Places(text, len(prefix), fragment.span.start)
        places.tokens.check_depth()
        kind, root = _postgres_tree(text)
        found = _Finder(places)
        found.visit({kind: root}, frozenset(), in_with=False)
    except RecursionError:
        return _unread(fragment, is_expression, _TOO_DEEP)
    except SyntaxProblem as problem:
        return _unread(fragment, is_expression, problem.message)
    except (TooLong, Unreadable) as problem:
        return _unread(fragment, is_expression, str(problem))
    kept, reason = None, None
    is_read = kind in _WRITES or kind == "SelectStmt"
    if is_expression and is_read:
        try:
            kept = expression_node(fragment.text)
        except Unreadable as problem:
            reason = str(problem)
    return SqlFacts(
        fragment,
        is_expression,
        kept,
        is_read and not is_expression,
        reason,
        tuple(sorted(found.writes, key=lambda write: (write.span.start, write.target.span.start))),
        tuple(found.reads[at] for at in sorted(found.reads)),
        tuple(found.calls[at] for at in sorted(found.calls)),
    )


def _unread(fragment: Fragment, is_expression: bool, problem: str) -> SqlFacts:
    return SqlFacts(fragment, is_expression, None, False, problem, (), (), ())


def _postgres_tree(text: str) -> tuple[str, PgNode]:
    """(kind, fields) of the one statement in the text. Raises Unreadable."""
    import pgparse

    try:
        statements: list[Any] = pgparse.parse(text)
    except pgparse.PGQueryError as error:
        raise Unreadable(_POSITION.sub("", " ".join(str(error).split()))) from None
    except (ValueError, UnicodeError):
        raise Unreadable("holds characters that PostgreSQL does not take") from None
    if len(statements) != 1:
        raise Unreadable("not one statement")
    ((kind, fields),) = statements[0]["stmt"].items()
    return str(kind), fields


class _Finder:
    """Walks libpg_query's tree. Nodes of a known C type stand bare in their field, others in one named by type."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.writes: list[Write] = []
        self.reads: dict[int, Relation] = {}
        self.calls: dict[int, FunctionCall] = {}

    def visit(self, fields: PgNode, names: frozenset[str], *, in_with: bool) -> None:
        """`names` are the common table expressions in sight: an unqualified relation of that name is no relation."""
        if "withClause" in fields:
            names, fields = self._with(fields, names)
        for key, value in fields.items():
            if isinstance(value, list):
                if key != "lockingClause":  # FOR UPDATE OF names aliases
                    for entry in value:
                        if isinstance(entry, dict):
                            self.visit(entry, names, in_with=in_with)
                continue
            if not isinstance(value, dict) or key in _LEAVES:
                continue
            if key == "RangeVar":
                self._relation(value, names)
                continue
            if key == "TruncateStmt":
                self.writes.extend(read_truncate(value, self._places))
                continue
            if key in _WRITES:
                self.writes.append(read_write(_WRITES[key], value, self._places, in_with))
            elif key in ("FuncCall", "funccall"):
                self._call(value)
            self.visit(value, names, in_with=in_with)

    def _with(self, fields: PgNode, names: frozenset[str]) -> tuple[frozenset[str], PgNode]:
        """Reads a WITH; gives the names in sight behind it, and the statement's other fields."""
        clause = fields["withClause"]
        entries = [entry["CommonTableExpr"] for entry in clause["ctes"]]
        every = names | {entry["ctename"] for entry in entries}
        seen = every if clause.get("recursive") else names
        for entry in entries:
            self.visit(entry.get("ctequery", {}), seen, in_with=True)
            seen = seen | {entry["ctename"]}
        return every, {key: value for key, value in fields.items() if key != "withClause"}

    def _relation(self, node: PgNode, names: frozenset[str]) -> None:
        if "schemaname" in node or node["relname"] not in names:
            relation = self._places.relation(node)
            self.reads[relation.span.start] = relation

    def _call(self, node: PgNode) -> None:
        if node.get("funcformat") == "COERCE_SQL_SYNTAX":  # EXTRACT, TRIM, SUBSTRING ... FROM, AT TIME ZONE
            return
        parts = [part["String"]["sval"] for part in node["funcname"]]
        at = self._places.token(node.get("location", 0))
        span = self._places.span(at, self._places.tokens.name_end(at))
        schema = parts[-2] if len(parts) > 1 else None
        self.calls[span.start] = FunctionCall(schema, parts[-1], len(node.get("args", [])), span)
