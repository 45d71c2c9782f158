"""Embedded SQL: assignments and statements, with the INTO clause that PL/pgSQL takes out."""

from __future__ import annotations

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.cursor import Cursor, at_words, check_depth, is_name
from trigger_audit.plpgsql.lexer import Token, identifier
from trigger_audit.plpgsql.tree import Fragment, Span, SyntaxProblem

# Words that PL/pgSQL keeps for itself: TABLE begins an SQL statement, the others would read on across statements.
_NEVER_FIRST = frozenset({"elsif", "elseif", "exception", "table"})


def assignment_follows(cursor: Cursor) -> bool:
    """Whether a statement that starts with a name goes on as `name[.field][subscript] := ` or `=`.

    PostgreSQL asks whether the name is a known variable; a name that is followed so starts no SQL statement anyway.
    """
    if not is_name(cursor.token):
        return False
    at = cursor.at + 1
    tokens = cursor.tokens
    while True:
        token = tokens[at]
        if token.word == "." and token.kind == "punctuation":
            if not is_name(tokens[at + 1]):
                return False
            at += 2
        elif token.word == "[" and token.kind == "punctuation":
            at = _close(tokens, at)
            if at < 0:
                return False
        else:
            return token.word in (":=", "=") and token.kind in ("mark", "operator")


def _close(tokens: list[Token], at: int) -> int:
    """The token after the bracket that closes the one at `at`; -1 without one."""
    depth = 0
    while tokens[at].kind != "end" and tokens[at].word != ";":
        if tokens[at].kind == "punctuation":
            if tokens[at].word in ("[", "("):
                depth += 1
            elif tokens[at].word in ("]", ")"):
                depth -= 1
                if depth == 0:
                    return at + 1
        at += 1
    return -1


def read_assignment(cursor: Cursor, start: int) -> tree.Assign:
    target = cursor.until(at_words(":=", "="), missing=":=")
    cursor.next()
    value = cursor.until(at_words(";"), missing=";")
    cursor.expect(";")
    return tree.Assign(target.text, target.span, value, cursor.span_from(start))


def read_targets(cursor: Cursor) -> tuple[str, ...]:
    """`a, rec.field, "B"` as written; PL/pgSQL allows no subscripts here."""
    targets = []
    while True:
        start = cursor.at
        cursor.name()
        while cursor.take("."):
            cursor.name()
        targets.append(cursor.fragment(start, cursor.at).text)
        if not cursor.take(","):
            return tuple(targets)


def read_sql(cursor: Cursor, start: int) -> tree.Statement:
    """Any other statement goes to PostgreSQL's main parser; INTO outside INSERT and MERGE is PL/pgSQL's."""
    first = cursor.token
    if not is_name(first) or (first.kind == "word" and first.word in _NEVER_FIRST):
        raise cursor.problem()
    if cursor.ahead().kind == "punctuation" and cursor.ahead().word in (".", "["):
        raise cursor.problem(cursor.ahead())  # a variable without an assignment
    if first.kind == "word" and first.word in ("call", "do"):
        command = cursor.until(at_words(";"), missing=";")
        cursor.expect(";")
        return tree.Call(command, cursor.span_from(start))
    into: tuple[str, ...] = ()
    into_span: Span | None = None
    strict = False
    depth = 0
    makes_function = _makes_function(cursor)
    in_body = 0
    while True:
        token = cursor.token
        if token.kind == "end":
            raise cursor.problem()
        if token.kind == "punctuation":
            if token.word == "(":
                depth += 1
                check_depth(depth, token)
            elif token.word == ")":
                depth -= 1
                if depth < 0:
                    raise SyntaxProblem("mismatched parentheses", token.start)
            elif token.word == ";" and not depth and not in_body:
                # Inside parentheses it parts the actions of CREATE RULE.
                break
        elif token.kind == "word" and token.word == "into" and _is_plpgsql_into(cursor, start, first):
            if into_span is not None:
                raise SyntaxProblem("INTO specified more than once", token.start)
            at = cursor.at
            cursor.next()
            strict = cursor.take("strict")
            into = read_targets(cursor)
            into_span = cursor.span_from(at)
            continue
        elif makes_function and token.kind == "word":
            # BEGIN ATOMIC ... END keeps its semicolons (PostgreSQL 14+).
            if token.word in ("begin", "case"):
                in_body += 1
            elif token.word == "end" and in_body:
                in_body -= 1
        cursor.at += 1
    sql = cursor.fragment(start, cursor.at)
    cursor.expect(";")
    if into_span is not None:
        sql = _blanked(sql, into_span)
    span = cursor.span_from(start)
    return tree.Sql(sql, into, into_span, strict, span)


def _is_plpgsql_into(cursor: Cursor, start: int, first: Token) -> bool:
    """make_execsql_stmt's own tests: not the INTO of INSERT INTO, MERGE INTO or IMPORT FOREIGN SCHEMA ... INTO."""
    previous = cursor.tokens[cursor.at - 1] if cursor.at > start else first
    if previous.kind == "word" and previous.word in ("insert", "merge"):
        return False
    return first.word != "import"


def _makes_function(cursor: Cursor) -> bool:
    """Whether the statement here is CREATE [OR REPLACE] FUNCTION or PROCEDURE, which may have a body in SQL."""
    return cursor.token.word == "create" and cursor.ahead().word in ("function", "procedure", "or")


def _blanked(sql: Fragment, gap: Span) -> Fragment:
    begin, end = gap.start - sql.span.start, gap.end - sql.span.start
    return Fragment(sql.text[:begin] + " " * (end - begin) + sql.text[end:], sql.span)


def names_of(targets: tuple[str, ...]) -> tuple[str, ...]:
    """The variables' own names (`rec` of `rec.field`), folded."""
    from trigger_audit.plpgsql.lexer import tokenise

    return tuple(identifier(tokenise(target)[0][0]) for target in targets)
