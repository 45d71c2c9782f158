"""SQL text to sqlglot nodes of the PostgreSQL dialect, and the names in them as PostgreSQL reads them."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

# sqlglot warns when it falls back to Command; what it could not read is said in `problem`, never on the user's screen.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_FOLD = str.maketrans(ascii_uppercase, ascii_lowercase)
# PostgreSQL takes every character beyond ASCII for a letter, sqlglot these for blanks. In its texts they stand as
# letters of a private plane.
_BLANKS_BEYOND_ASCII = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_STAND_INS = re.compile(
    "[\U000f0085\U000f00a0\U000f1680\U000f2000-\U000f200a\U000f2028\U000f2029\U000f202f\U000f205f\U000f3000]"
)
_PRIVATE_PLANE = 0xF0000
_POSITION = re.compile(r"\s*Line \d+, Col: \d+\.?$")
_PLAIN_STRING = re.compile(r"'(?:[^'\\]|'')*'")
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# The node itself would do, but a Select that carries more than its one item (`count(*) FROM t`) is kept whole.
_SELECT_PARTS_OF_AN_EXPRESSION = frozenset({"expressions", "kind", "operation_modifiers"})


class Unreadable(Exception):
    """sqlglot refuses the text."""


def fold(name: str) -> str:
    """An unquoted name in lower case; like PostgreSQL, only ASCII letters change in a multi-byte encoding."""
    return name.translate(_FOLD)


def identifier(node: exp.Expression | None) -> str | None:
    """The name in an Identifier as PostgreSQL stores it."""
    if not isinstance(node, exp.Identifier):
        return None
    return str(node.this) if node.args.get("quoted") else fold(str(node.this))


@lru_cache(maxsize=512)
def statement_node(text: str) -> exp.Expression:
    """The node of one statement. Raises Unreadable."""
    return _parsed(text)


def _parsed(text: str) -> exp.Expression:
    if not text.isascii() and _BLANKS_BEYOND_ASCII.search(text) is not None:
        return _with_blanks(_read(_BLANKS_BEYOND_ASCII.sub(lambda found: chr(ord(found[0]) + _PRIVATE_PLANE), text)))
    return _read(text)


def _with_blanks(tree: exp.Expression) -> exp.Expression:
    """The tree with the text's own characters again."""
    for node in tree.walk():
        for key, value in node.args.items():
            if isinstance(value, str):
                node.args[key] = _STAND_INS.sub(lambda found: chr(ord(found[0]) - _PRIVATE_PLANE), value)
    return tree


def _read(text: str) -> exp.Expression:
    try:
        nodes = sqlglot.parse(text, read="postgres", error_level=sqlglot.ErrorLevel.IMMEDIATE)
    except SqlglotError as error:
        raise Unreadable(_first_line(error)) from None
    except RecursionError:
        raise Unreadable("nested too deeply to be read") from None
    found = [node for node in nodes if node is not None and not isinstance(node, exp.Semicolon)]
    if len(found) != 1 or isinstance(found[0], exp.Command):
        raise Unreadable("not read as one statement")
    return cast(exp.Expression, found[0])


@lru_cache(maxsize=4096)
def expression_node(text: str) -> exp.Expression:
    """The node of an expression. Raises Unreadable.

    It is a whole Select where PL/pgSQL's expression has more than one item (`count(*) FROM t`, `1, 2`).
    """
    if _PLAIN_STRING.fullmatch(text):
        return exp.Literal.string(text[1:-1].replace("''", "'"))
    if _PLAIN_NUMBER.fullmatch(text):
        return exp.Literal.number(text)
    select = _parsed("SELECT " + text)
    if not isinstance(select, exp.Select):
        if isinstance(select, exp.Query):
            return select
        raise Unreadable("not read as an expression")
    parts = {name for name, value in select.args.items() if value}
    if len(select.expressions) == 1 and parts <= _SELECT_PARTS_OF_AN_EXPRESSION:
        inner = select.expressions[0]
        if isinstance(inner, exp.Expression):
            return inner
    return select


def expression_or_text(text: str) -> exp.Expression:
    """The node of an expression, or a Var of its text where sqlglot cannot read it (WHERE CURRENT OF cursor)."""
    try:
        return expression_node(text)
    except Unreadable:
        return exp.Var(this=text)


def _first_line(error: SqlglotError) -> str:
    lines = str(error).splitlines()
    return _POSITION.sub("", lines[0]).strip() if lines else "not read"


_TEXTS: dict[int, tuple[exp.Expression, str]] = {}
_MOST_TEXTS = 4096


def sql_of(node: exp.Expression) -> str:
    """The text of a type or path: made once, for cycles ask for it thousands of times."""
    known = _TEXTS.get(id(node))
    if known is None:
        if len(_TEXTS) >= _MOST_TEXTS:
            _TEXTS.clear()
        # The node is kept, for its id to stay its own.
        known = _TEXTS[id(node)] = (node, node.sql("postgres"))
    return known[1]
