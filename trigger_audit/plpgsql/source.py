"""A body's text: places in it, the SQL that it embeds, its comments, and where it cannot be read.

Offsets count characters of the body (pg_proc.prosrc), from 0, the end exclusive. `Source` turns them into lines as
PostgreSQL counts them in an error's CONTEXT (the first line of prosrc is line 1, also when it is empty because a line
break follows the dollar quote) and into 1-based columns.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters of the body."""

    start: int
    end: int


class Source:
    """A body's text with its line starts."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        starts = [0]
        at = text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        self._starts = starts

    def place(self, offset: int) -> tuple[int, int]:
        """(line, column) of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    @property
    def lines(self) -> int:
        """How many there are: at least one."""
        return len(self._starts)

    def offset(self, line: int, column: int) -> int:
        """The character at a place of an existing line; the reverse of `place`."""
        return self._starts[line - 1] + column - 1

    def line(self, number: int) -> str:
        """The text of a line (from 1) without its line end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def slice(self, span: Span) -> str:
        """The characters that a span covers."""
        return self.text[span.start : span.end]


@dataclass(frozen=True, slots=True)
class Fragment:
    """SQL that PL/pgSQL hands to the main parser: an expression or a statement.

    `text` is what PostgreSQL sees, with the same length as the body's slice: an INTO clause that PL/pgSQL takes out,
    and the word PERFORM, stand as blanks (PERFORM as SELECT followed by a blank), so that offsets in `text` plus
    `span.start` are offsets in the body.
    """

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment outside SQL fragments and inside them alike, with its markers (`-- ...` or `/* ... */`)."""

    text: str
    span: Span


# Not frozen: contextlib and others set an exception's __traceback__.
@dataclass(eq=False)
class SyntaxProblem(Exception):
    """What the parser could not read, at which character, and the SQLSTATE of PostgreSQL's own error."""

    message: str
    offset: int
    sqlstate: str = "42601"
