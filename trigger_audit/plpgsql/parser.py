"""From a PL/pgSQL body to its tree."""

from __future__ import annotations

from trigger_audit.plpgsql.cursor import Cursor
from trigger_audit.plpgsql.statements import Parser
from trigger_audit.plpgsql.tree import Body, Source, SyntaxProblem

_OPTIONS = frozenset({("option", "dump"), ("print_strict_params", "on"), ("print_strict_params", "off")})
_CONFLICTS = frozenset({"error", "use_variable", "use_column"})


def parse_body(text: str) -> Body:
    """Parse pg_proc.prosrc of a PL/pgSQL function. Raises SyntaxProblem where PostgreSQL's grammar refuses it."""
    cursor = Cursor(text)
    conflict = _options(cursor)
    parser = Parser(cursor)
    start = cursor.at
    label = parser.label()
    if not (cursor.sees("declare") or cursor.sees("begin")):
        raise cursor.problem()
    block = parser.block(start, label)
    cursor.take(";")
    if cursor.token.kind != "end":
        raise cursor.problem()
    return Body(Source(text), block, tuple(cursor.comments), conflict)


def _options(cursor: Cursor) -> str:
    """`#variable_conflict ...`, `#print_strict_params ...` and `#option dump` before the first block."""
    conflict = "error"
    while cursor.token.text == "#":
        cursor.next()
        name = cursor.name()
        value = cursor.name().word
        if name.word == "variable_conflict":
            if value not in _CONFLICTS:
                raise cursor.problem(cursor.tokens[cursor.at - 1])
            conflict = value
        elif (name.word, value) not in _OPTIONS:
            raise SyntaxProblem(f'syntax error at or near "{name.text}"', name.start)
    return conflict
