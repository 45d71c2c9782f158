"""LOOP, WHILE, FOR and FOREACH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.cursor import Cursor, at_words
from trigger_audit.plpgsql.embedded import read_targets
from trigger_audit.plpgsql.lexer import identifier
from trigger_audit.plpgsql.tree import Fragment, SyntaxProblem

if TYPE_CHECKING:
    from trigger_audit.plpgsql.statements import Parser


def read_loop(parser: Parser, start: int, label: str | None) -> tree.Statement:
    """A loop whose label, if any, has been read; `start` is its first token."""
    cursor = parser.cursor
    if cursor.take("loop"):
        return tree.Loop(label, _body(parser, label), cursor.span_from(start))
    if cursor.take("while"):
        condition = cursor.until(at_words("loop"), missing="LOOP")
        cursor.expect("loop")
        return tree.While(label, condition, _body(parser, label), cursor.span_from(start))
    if cursor.take("foreach"):
        return _foreach(parser, start, label)
    cursor.expect("for")
    return _for(parser, start, label)


def _body(parser: Parser, label: str | None) -> tuple[tree.Statement, ...]:
    """Statements and END LOOP [label];"""
    cursor = parser.cursor
    body = parser.repeated(label)
    cursor.expect("end")
    cursor.expect("loop")
    parser.end_label(label)
    cursor.expect(";")
    return body


def _foreach(parser: Parser, start: int, label: str | None) -> tree.ForEach:
    cursor = parser.cursor
    targets = read_targets(cursor)
    slice_ = 0
    if cursor.take("slice"):
        if cursor.token.kind != "number" or not cursor.token.text.isdigit():
            raise cursor.problem()
        slice_ = int(cursor.next().text)
    cursor.expect("in")
    cursor.expect("array")
    array = cursor.until(at_words("loop"), missing="LOOP")
    cursor.expect("loop")
    return tree.ForEach(label, targets, slice_, array, _body(parser, label), cursor.span_from(start))


def _for(parser: Parser, start: int, label: str | None) -> tree.Statement:
    cursor = parser.cursor
    targets = read_targets(cursor)
    cursor.expect("in")
    if cursor.take("execute"):
        command = cursor.until(at_words("loop", "using"), missing="LOOP")
        parameters: list[Fragment] = []
        if cursor.take("using"):
            parameters.append(cursor.until(at_words(",", "loop"), missing="LOOP"))
            while cursor.take(","):
                parameters.append(cursor.until(at_words(",", "loop"), missing="LOOP"))
        cursor.expect("loop")
        body = _body(parser, label)
        return tree.ForExecute(label, targets, command, tuple(parameters), body, cursor.span_from(start))
    reverse = cursor.take("reverse")
    first = cursor.until(at_words("..", "loop"), missing="LOOP")
    if cursor.take(".."):
        if len(targets) != 1:
            raise SyntaxProblem("integer FOR loop must have only one target variable", cursor.tokens[start].start)
        upper = cursor.until(at_words("loop", "by"), missing="LOOP")
        step = cursor.until(at_words("loop"), missing="LOOP") if cursor.take("by") else None
        cursor.expect("loop")
        body = _body(parser, label)
        return tree.ForInteger(label, targets[0], reverse, first, upper, step, body, cursor.span_from(start))
    if reverse:
        raise SyntaxProblem("cannot specify REVERSE in query FOR loop", first.span.start)
    cursor.expect("loop")
    bound = _cursor_call(parser, first)
    body = _body(parser, label)
    if bound is not None:
        name, arguments = bound
        return tree.ForCursor(label, targets[0], name, arguments, body, cursor.span_from(start))
    return tree.ForQuery(label, targets, first, body, cursor.span_from(start))


_QUERY_WORDS = frozenset(
    {"select", "with", "values", "table", "insert", "update", "delete", "merge", "show", "explain"}
)


def _cursor_call(parser: Parser, fragment: Fragment) -> tuple[str, Fragment | None] | None:
    """(name, arguments) where the loop runs over a bound cursor: `c` or `c(arguments)`."""
    inner = Cursor(fragment.text)
    first = inner.token
    if first.kind not in ("word", "quoted") or (first.kind == "word" and first.word in _QUERY_WORDS):
        return None
    name = identifier(inner.next())
    if inner.token.kind == "end":
        return name, None
    if not inner.sees("("):
        return None
    opening = inner.token.start
    closing = inner.tokens[-2]
    if closing.text != ")":
        return None
    shift = fragment.span.start
    text = fragment.text[opening + 1 : closing.start]
    return name, Fragment(text, tree.Span(shift + opening + 1, shift + closing.start))
