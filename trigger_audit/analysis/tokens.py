"""The tokens of an SQL fragment with their brackets matched: where names, items and clauses begin and end.

pgparse's nodes say where they begin but not where they end, and parentheses leave no node at all; the end of an
expression is the hull of its tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

from trigger_audit.plpgsql.lexer import tokenise

# Left-deep chains (a || a || ...) become a tree as deep as they are long, and libpg_query writes trees out recursively:
# about 100,000 links end the process, 20,000 are safe. No statement that people write comes near.
LONGEST_RUN = 20_000

_SIGNS = frozenset({"punctuation", "operator", "mark", "other"})


class TooLong(Exception):
    """An expression too long or too deep to be handed to the parsers."""


class Tokens:
    """The tokens of one text with their brackets matched."""

    __slots__ = ("_partner", "_starts", "_words", "items", "text")

    def __init__(self, text: str) -> None:
        """Raises SyntaxProblem for an unterminated quote or comment."""
        self.text = text
        self.items = tokenise(text)[0][:-1]
        self._words = [
            token.text.upper() if token.kind == "word" else token.text if token.kind in _SIGNS else ""
            for token in self.items
        ]
        self._starts = {token.start: index for index, token in enumerate(self.items)}
        self._partner = _match(self._words)

    def at(self, offset: int) -> int:
        """The index of the token that begins at a character; KeyError if none does."""
        return self._starts[offset]

    def word(self, index: int) -> str:
        """A bare word in upper case or a sign; '' for literals, quoted names and places outside the text."""
        return self._words[index] if 0 <= index < len(self._words) else ""

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
        partner, past = self._partner, len(self.items)
        while at < end:
            yield at
            # An opening bracket that nothing closes ends the text.
            at = (partner.get(at, past) if self.word(at) in ("(", "[") else at) + 1

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
        if len(self._words) <= LONGEST_RUN:
            return
        runs = [0]
        total = 0
        for word in self._words:
            if word in ("(", "["):
                runs.append(0)
            elif word in (")", "]") and len(runs) > 1:
                inner = runs.pop()
                runs[-1] += inner
            elif word in (",", ";"):
                total -= runs[-1]
                runs[-1] = 0
                continue
            runs[-1] += 1
            total += 1
            if total > LONGEST_RUN:
                raise TooLong("the expression is too long to be read")


def _match(words: list[str]) -> dict[int, int]:
    partner: dict[int, int] = {}
    open_brackets: list[int] = []
    for index, word in enumerate(words):
        if word in ("(", "["):
            open_brackets.append(index)
        elif word in (")", "]") and open_brackets:
            partner[open_brackets.pop()] = index
    return partner
