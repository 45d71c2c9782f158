"""Splits a script into its statements, as psql does, without ever giving up.

What ends a statement is a semicolon outside of quotes, dollar quotes, comments, parentheses and BEGIN ATOMIC ... END.
Two things of psql's own are known as well: a command that begins with a backslash, between statements or (\\gset,
\\gexec) instead of a semicolon, and the data that follows COPY ... FROM STDIN up to a line with `\\.` alone. Where a
quote is never closed, the rest of the text is one statement, which the server then refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Kind(StrEnum):
    """What a piece of a script is."""

    STATEMENT = "statement"
    COPY_DATA = "copy-data"
    PSQL_COMMAND = "psql-command"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a script; all pieces joined are the script.

    `offset` counts characters from the start of the script to the start of `text`; `lead` is how many characters of
    white space and comments `text` begins with; `line` is the 1-based line of what follows them.
    """

    kind: Kind
    text: str
    offset: int
    lead: int
    line: int

    @property
    def statement(self) -> str:
        """The text without leading comments and without the closing semicolon."""
        return self.text[self.lead :].rstrip().removesuffix(";").rstrip()

    @property
    def start(self) -> int:
        """Where `statement` begins, in characters from the start of the script."""
        return self.offset + self.lead


# PostgreSQL's scanner: an identifier may hold any character past ASCII, and `$` after the first.
_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*", re.ASCII)
_NUMBER = re.compile(r"[0-9][\w.]*", re.ASCII)
_PARAMETER = re.compile(r"\$[0-9]+")
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_SPACE = re.compile(r"[ \t\n\r\f\v]+")
_LINE_COMMENT = re.compile(r"--[^\n\r]*")
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_QUOTED = re.compile(r"'[^']*(?:''[^']*)*'")
_ESCAPED = re.compile(r"'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'", re.DOTALL)
_IDENTIFIER = re.compile(r'"[^"]*(?:""[^"]*)*"')
# What is of no interest to who looks for a statement's end, in one go: signs, words, numbers, closed strings and
# quoted names. It stops at parentheses, semicolons, backslashes, comments, dollar quotes, E'' and what is never closed.
_DULL = re.compile(
    r"""(?:[^\w\x80-\U0010ffff'"$();\\/-]
          |(?![eE]')[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*+
          |[0-9][\w.]*+
          |'[^']*+(?:''[^']*+)*+'
          |"[^"]*+(?:""[^"]*+)*+"
          |-(?!-)
          |/(?!\*)
          |\$[0-9]+
        )++""",
    re.ASCII | re.VERBOSE,
)
# psql's own commands that send the statement before them.
_SENDING = re.compile(r"\\(?:g[a-z]*|watch|crosstabview)\b")
_COPY_END = re.compile(r"^\\\.[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, quoted name, string, number or sign of a statement; `start` and `end` in characters."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The keyword or name as PostgreSQL folds it: small letters unless quoted; empty for what is neither."""
        if self.kind == "word":
            return self.text.lower()
        return self.text[1:-1].replace('""', '"') if self.kind == "name" else ""


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of SQL text from `start` on, comments and white space left out. Never fails."""
    position = start
    length = len(text)
    while position < length:
        sign = text[position]
        if found := _SPACE.match(text, position):
            position = found.end()
            continue
        if found := _LINE_COMMENT.match(text, position):
            position = found.end()
            continue
        if text.startswith("/*", position):
            position = _after_comment(text, position)
            continue
        kind, end = _token(text, position, sign)
        yield Token(kind, text[position:end], position, end)
        position = end


def _token(text: str, position: int, sign: str) -> tuple[str, int]:
    length = len(text)
    if sign == "'":
        found = _QUOTED.match(text, position)
        return "string", found.end() if found else length
    if sign == '"':
        found = _IDENTIFIER.match(text, position)
        return "name", found.end() if found else length
    if sign in "eE" and text.startswith("'", position + 1):
        found = _ESCAPED.match(text, position + 1)
        return "string", found.end() if found else length
    if found := _WORD.match(text, position):
        return "word", found.end()
    if found := _NUMBER.match(text, position):
        return "number", found.end()
    if sign == "$":
        if found := _PARAMETER.match(text, position):
            return "parameter", found.end()
        if found := _DOLLAR.match(text, position):
            closing = text.find(found[0], found.end())
            return "string", closing + len(found[0]) if closing >= 0 else length
    return "sign", position + 1


def _after_comment(text: str, position: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(text, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def split(text: str) -> tuple[Piece, ...]:
    """All pieces of a script in order; joined they are the script again."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    line = 1
    counted = 0
    position = 0
    while position < len(text):
        kind, first, end = _next(text, position)
        line += text.count("\n", counted, first)
        counted = first
        yield Piece(kind, text[position:end], position, first - position, line)
        if kind is Kind.STATEMENT and end < len(text) and _reads_standard_input(text[first:end]):
            data = _LINE.match(text, end)
            begin = data.end() if data and not data[0].strip() else end
            closing = _COPY_END.search(text, begin)
            stop = closing.end() if closing else len(text)
            line += text.count("\n", counted, begin)
            counted = begin
            yield Piece(Kind.COPY_DATA, text[end:stop], end, begin - end, line)
            end = stop
        position = end


def _next(text: str, position: int) -> tuple[Kind, int, int]:
    """The kind of the piece that begins at `position`, where its first token is, and where it ends."""
    first = next(tokens(text, position), None)
    if first is None:
        return Kind.BLANK, len(text), len(text)
    if first.text == "\\":
        found = _LINE.match(text, first.start)
        return Kind.PSQL_COMMAND, first.start, found.end() if found else len(text)
    # Only CREATE FUNCTION and CREATE PROCEDURE have bodies with semicolons.
    end = _end_with_bodies if first.word == "create" else _end
    return Kind.STATEMENT, first.start, end(text, first.start)


def _end(text: str, position: int) -> int:
    """Where a statement without an SQL-standard body ends."""
    length = len(text)
    parentheses = 0
    while position < length:
        if found := _DULL.match(text, position):
            position = found.end()
            continue
        sign = text[position]
        if sign == "(":
            parentheses += 1
        elif sign == ")":
            parentheses = max(0, parentheses - 1)
        elif sign == ";" and parentheses == 0:
            return position + 1
        elif sign == "\\" and _SENDING.match(text, position):
            return position
        elif found := _LINE_COMMENT.match(text, position):
            position = found.end()
            continue
        elif text.startswith("/*", position):
            position = _after_comment(text, position)
            continue
        else:
            position = _token(text, position, sign)[1]
            continue
        position += 1
    return length


def _end_with_bodies(text: str, position: int) -> int:
    """The same where BEGIN ATOMIC may come."""
    parentheses = 0
    atomic = 0
    previous = ""
    for token in tokens(text, position):
        word = token.word if token.kind == "word" else ""
        if token.kind == "sign":
            if token.text == "(":
                parentheses += 1
            elif token.text == ")":
                parentheses = max(0, parentheses - 1)
            elif token.text == ";" and parentheses == 0 and atomic == 0:
                return token.end
            elif token.text == "\\" and _SENDING.match(text, token.start):
                return token.start
        elif atomic:
            # Within an SQL-standard body only CASE and BEGIN nest; both are closed by END.
            if word in ("case", "begin"):
                atomic += 1
            elif word == "end":
                atomic -= 1
        elif word == "atomic" and previous == "begin":
            atomic = 1
        previous = word
    return len(text)


def _reads_standard_input(statement: str) -> bool:
    if statement[:4].lower() != "copy":
        return False
    words = [token.word for token in tokens(statement) if token.kind == "word"]
    return ("from", "stdin") in pairwise(words)
