"""LANGUAGE sql bodies: statements with semicolons between them, or BEGIN ATOMIC ... END."""

from __future__ import annotations

from trigger_audit.plpgsql.cursor import Cursor
from trigger_audit.plpgsql.tree import Block, Body, Source, Span, Sql, Statement, SyntaxProblem


def parse_sql_body(text: str) -> Body:
    """A block of Sql statements. Raises SyntaxProblem where the text cannot be split."""
    cursor = Cursor(text)
    atomic = cursor.take("begin", "atomic")
    statements: list[Statement] = []
    start = cursor.at
    depth = cases = 0
    inside: int | None = None  # the first semicolon since a bracket was opened: CREATE RULE may have some there
    while True:
        token = cursor.token
        is_end = token.kind == "end"
        if token.kind == "punctuation":
            depth += (token.word in ("(", "[")) - (token.word in (")", "]"))
            if depth < 0:
                raise SyntaxProblem("mismatched parentheses", token.start)
            if not depth:
                inside = None
            elif token.word == ";" and inside is None:
                inside = token.start
        closes_body = False
        if token.kind == "word" and token.word == "case":
            cases += 1
        elif token.kind == "word" and token.word == "end":
            closes_body = atomic and not cases and cursor.at == start
            cases = max(0, cases - 1)
        if is_end or closes_body or (token.kind == "punctuation" and token.word == ";" and not depth):
            if cursor.at > start:
                fragment = cursor.fragment(start, cursor.at)
                statements.append(Sql(fragment, (), None, False, fragment.span))
            if is_end or closes_body:
                break
            cursor.next()
            start = cursor.at
            continue
        cursor.at += 1
    if depth:
        raise SyntaxProblem("mismatched parentheses", len(text) if inside is None else inside)
    block = Block(None, (), tuple(statements), (), Span(0, len(text)))
    return Body(Source(text), block, tuple(cursor.comments))
