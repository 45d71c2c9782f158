"""DECLARE sections."""

from __future__ import annotations

from trigger_audit.plpgsql.cursor import Cursor, at_words, is_name
from trigger_audit.plpgsql.lexer import Token, identifier
from trigger_audit.plpgsql.tree import (
    AliasDeclaration,
    AnyDeclaration,
    CursorDeclaration,
    Declaration,
    Fragment,
    SyntaxProblem,
)

_BEHIND_TYPES = at_words("not", ":=", "=", "default", "collate", ",", ")", ";")


def read_declarations(cursor: Cursor) -> tuple[AnyDeclaration, ...]:
    """Everything between DECLARE and BEGIN. PostgreSQL allows DECLARE to be repeated."""
    found: list[AnyDeclaration] = []
    names: set[str] = set()
    while not cursor.sees("begin"):
        if cursor.take("declare"):
            continue
        if cursor.sees("<<"):
            raise SyntaxProblem("block label must be placed before DECLARE, not after", cursor.token.start)
        token = cursor.token
        found.append(read_declaration(cursor))
        _once(found[-1].name, names, token)
    return tuple(found)


def _once(name: str, names: set[str], token: Token) -> None:
    if name in names:
        raise SyntaxProblem(f'duplicate declaration at or near "{token.text}"', token.start)
    names.add(name)


def read_declaration(cursor: Cursor) -> AnyDeclaration:
    start = cursor.at
    name = identifier(cursor.name())
    if cursor.sees("."):
        raise cursor.problem()
    if cursor.take("alias"):
        cursor.expect("for")
        target = cursor.name()
        while cursor.take("."):
            target = cursor.name()
        cursor.expect(";")
        return AliasDeclaration(name, identifier(target), cursor.span_from(start))
    if _is_cursor(cursor):
        return _read_cursor(cursor, start, name)
    constant = cursor.take("constant")
    kind = _read_type(cursor)
    if cursor.take("collate"):
        cursor.name()
        while cursor.take("."):
            cursor.name()
    not_null = cursor.take("not")
    if not_null:
        cursor.expect("null")
    default = None
    if cursor.take(":=") or cursor.take("=") or cursor.take("default"):
        default = cursor.until(at_words(";"), missing=";")
    cursor.expect(";")
    return Declaration(name, kind.text, kind.span, constant, not_null, default, cursor.span_from(start))


def _read_type(cursor: Cursor) -> Fragment:
    """read_datatype: the first word is the type's name whatever it says, and then all up to what may follow a type."""
    start = cursor.at
    if is_name(cursor.token):
        cursor.next()
    cursor.until(_BEHIND_TYPES, missing=";", empty_allowed=True)
    if cursor.at == start:
        raise SyntaxProblem("missing data type declaration", cursor.token.start)
    return cursor.fragment(start, cursor.at)


def _is_cursor(cursor: Cursor) -> bool:
    return cursor.sees("cursor") or cursor.sees("scroll", "cursor") or cursor.sees("no", "scroll", "cursor")


def _read_cursor(cursor: Cursor, start: int, name: str) -> CursorDeclaration:
    if cursor.take("no"):
        cursor.expect("scroll")
    else:
        cursor.take("scroll")
    cursor.expect("cursor")
    arguments: list[tuple[str, str]] = []
    if cursor.take("("):
        names: set[str] = set()
        while True:
            token = cursor.name()
            argument = identifier(token)
            _once(argument, names, token)
            kind = _read_type(cursor)
            arguments.append((argument, kind.text))
            if not cursor.take(","):
                break
        cursor.expect(")")
    if not cursor.take("is"):
        cursor.expect("for")
    query = cursor.until(at_words(";"), missing=";")
    cursor.expect(";")
    return CursorDeclaration(name, tuple(arguments), query, cursor.span_from(start))
