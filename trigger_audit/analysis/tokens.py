"""The tokens of an SQL fragment, as far as places are concerned: names, words, brackets, commas and clause borders.

pgparse's nodes say where they begin but not where they end, and parentheses leave no node at all; the end of an
expression is the hull of its tokens. Rules of PostgreSQL's scanner that matter here: comments nest, E'' knows backslash
escapes, `$tag$` quotes, and a name may hold any character beyond ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Left-deep chains (a || a || ...) become a tree as deep as they are long, and libpg_query writes trees out recursively:
# about 100,000 links end the process, 20,000 are safe. No statement that people write comes near.
LONGEST_RUN = 20_000

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n\f\v]+|--[^\r\n]*)
    | (?P<comment>/\*)
    | (?P<escape>[eE]'(?:[^'\\]|\\.|'')*'?)
    | (?P<literal>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'?)
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*"?)
    | (?P<dollar>\$(?P<tag>[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9\u0080-\U0010ffff]*)?\$)
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9$\u0080-\U0010ffff]*)
    | (?P<number>\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?|\$\d+)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """`word` is a bare word in upper case or a single sign; '' for literals and quoted names."""

    start: int
    end: int
    word: str


class TooLong(Exception):
    """An expression too long or too deep to be handed to the parsers."""


class Tokens:
    """The tokens of one text with their brackets matched."""

    __slots__ = ("_partner", "_starts", "items", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.items = tuple(_scan(text))
        self._starts = {token.start: index for index, token in enumerate(self.items)}
        self._partner = _match(self.items)

    def at(self, offset: int) -> int:
        """The index of the token that begins at a character; KeyError if none does."""
        return self._starts[offset]

    def word(self, index: int) -> str:
        return self.items[index].word if 0 <= index < len(self.items) else ""

    def close(self, index: int) -> int:
        """The index of the bracket that closes the one at `index` (the number of tokens if none does)."""
        return self._partner.get(index, len(self.items))

    def enclosing_end(self, index: int) -> int:
        """The index of the closing bracket or semicolon that ends the statement around a token."""
        for at in self.level(index, len(self.items)):
            if self.word(at) in (")", "]", ";"):
                return at
        return len(self.items)

    def level(self, start: int, end: int) -> Iterator[int]:
        """The tokens from start to end, those inside brackets left out (an opening bracket stands for its group)."""
        at = start
        while at < end:
            yield at
            at = self.close(at) + 1 if self.word(at) in ("(", "[") else at + 1

    def find(self, start: int, end: int, *words: str) -> int:
        """The first token of this level that is one of the words, or `end`. FROM of IS DISTINCT FROM is passed over."""
        for at in self.level(start, end):
            word = self.word(at)
            if word in words and not (word == "FROM" and self.word(at - 1) == "DISTINCT"):
                return at
        return end

    def split(self, start: int, end: int) -> list[tuple[int, int]]:
        """The items between the commas of this level, as ranges of tokens."""
        parts: list[tuple[int, int]] = []
        begin = start
        for at in self.level(start, end):
            if self.word(at) == ",":
                parts.append((begin, at))
                begin = at + 1
        parts.append((begin, end))
        return parts

    def name_end(self, index: int) -> int:
        """The token after a dotted name that begins at `index`."""
        at = index + 1
        while self.word(at) == "." and at + 1 < len(self.items):
            at += 2
        return at

    def check_depth(self) -> None:
        """Raise TooLong where a run of tokens without a comma, those around it included, is longer than LONGEST_RUN."""
        runs = [0]
        total = 0
        for token in self.items:
            if token.word in ("(", "["):
                runs.append(0)
            elif token.word in (")", "]") and len(runs) > 1:
                inner = runs.pop()
                runs[-1] += inner
            elif token.word in (",", ";"):
                total -= runs[-1]
                runs[-1] = 0
                continue
            runs[-1] += 1
            total += 1
            if total > LONGEST_RUN:
                raise TooLong("the expression is too long to be read")


def _scan(text: str) -> Iterator[Token]:
    at = 0
    size = len(text)
    while at < size:
        found = _TOKEN.match(text, at)
        if found is None:  # pragma: no cover - `sign` takes any character
            return
        kind = found.lastgroup
        end = found.end()
        if found.group("dollar") is not None:
            closing = text.find(found.group("dollar"), end)
            end = size if closing < 0 else closing + len(found.group("dollar"))
            yield Token(at, end, "")
        elif kind == "comment":
            end = _comment_end(text, end)
        elif kind in ("word", "sign"):
            yield Token(at, end, found.group().upper())
        elif kind != "space":
            yield Token(at, end, "")
        at = end


def _comment_end(text: str, at: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(text, at)
        if edge is None:
            return len(text)
        depth += 1 if edge.group() == "/*" else -1
        at = edge.end()
    return at


def _match(items: tuple[Token, ...]) -> dict[int, int]:
    partner: dict[int, int] = {}
    open_brackets: list[int] = []
    for index, token in enumerate(items):
        if token.word in ("(", "["):
            open_brackets.append(index)
        elif token.word in (")", "]") and open_brackets:
            partner[open_brackets.pop()] = index
    return partner
