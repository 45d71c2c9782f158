"""The string constants of a statement: what they mean, and where each of their characters is written.

As PostgreSQL's scanner reads them with standard_conforming_strings on: dollar quotes with any tag, '...', E'...' and
U&'...' with UESCAPE. A constant that goes on after a line break ('...' newline '...') is taken for several.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trigger_audit.sandbox.splitter import Token, tokens

_DOLLARS = re.compile(r"\$[^$]*\$")
_PLAIN = re.compile(r"''|[^']")
_ESCAPED = re.compile(
    r"''|\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{1,2})|u(?P<four>[0-9a-fA-F]{4})|U(?P<eight>[0-9a-fA-F]{8})"
    r"|(?P<sign>.))|[^'\\]",
    re.DOTALL,
)
_SIGNS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Literal:
    """`offsets` has one more item than `value` has characters: where each of them begins in the statement's text, and
    where the last one ends. `introduced` is the word before, in small letters: a function's body comes after `as`.
    """

    value: str
    offsets: Sequence[int]
    introduced: str


def literals(statement: str) -> Iterator[Literal]:
    """The statement's constants in their order; those that are never closed or that no text can be made of left out."""
    found = list(tokens(statement))
    for place, token in enumerate(found):
        if token.kind != "string":
            continue
        before = found[place - 1] if place else None
        unicode = _is_unicode(found, place)
        if unicode and place > 2:
            before = found[place - 3]
        read = _unicode(token, _escape(found, place)) if unicode else _read(token)
        if read is not None:
            yield Literal(*read, before.word if before is not None and before.kind == "word" else "")


def _read(token: Token) -> tuple[str, Sequence[int]] | None:
    if (dollars := _DOLLARS.match(token.text)) is not None:
        tag = dollars[0]
        if len(token.text) < 2 * len(tag) or not token.text.endswith(tag):
            return None
        value = token.text[len(tag) : -len(tag)]
        start = token.start + len(tag)
        return value, range(start, start + len(value) + 1)
    if token.text[0] in "eE":
        return _decoded(token, _ESCAPED, token.text.index("'") + 1, _escaped)
    if "''" not in token.text[1:-1]:
        closed = len(token.text) > 1 and token.text.endswith("'")
        return (token.text[1:-1], range(token.start + 1, token.end)) if closed else None
    return _decoded(token, _PLAIN, 1, lambda found: found[0][-1])


def _unicode(token: Token, escape: str) -> tuple[str, Sequence[int]] | None:
    sign = re.escape(escape)
    pattern = re.compile(
        rf"''|{sign}(?:(?P<four>[0-9a-fA-F]{{4}})|\+(?P<six>[0-9a-fA-F]{{6}})|(?P<same>{sign}))|[^'{sign}]", re.DOTALL
    )

    def meant(found: re.Match[str]) -> str | None:
        digits = found["four"] or found["six"]
        return found[0][-1] if digits is None else _character(digits)

    return _decoded(token, pattern, 1, meant)


def _escaped(found: re.Match[str]) -> str | None:
    """None for what is no character by itself: a byte of a longer one."""
    parts = found.groupdict()
    if parts["sign"] is not None:
        return _SIGNS.get(parts["sign"], parts["sign"])
    if parts["octal"] is not None or parts["hex"] is not None:
        code = int(parts["octal"], 8) if parts["octal"] is not None else int(parts["hex"], 16)
        return chr(code) if 0 < code < 0x80 else None
    digits = parts["four"] or parts["eight"]
    return found[0][-1] if digits is None else _character(digits)


def _character(digits: str) -> str | None:
    code = int(digits, 16)
    return chr(code) if 0 < code <= 0x10FFFF else None


def _decoded(
    token: Token, pattern: re.Pattern[str], start: int, meant: Callable[[re.Match[str]], str | None]
) -> tuple[str, Sequence[int]] | None:
    """`meant` gives the character that a match stands for, None for one that cannot be told."""
    text = token.text
    end = len(text) - 1
    characters: list[str] = []
    offsets: list[int] = []
    position = start
    while position < end:
        found = pattern.match(text, position, end)
        character = None if found is None else meant(found)
        if found is None or character is None:
            return None
        if "\udc00" <= character <= "\udfff" and characters and "\ud800" <= characters[-1] <= "\udbff":
            # The two halves of a surrogate pair are one character.
            high = ord(characters.pop()) - 0xD800
            characters.append(chr(0x10000 + (high << 10) + ord(character) - 0xDC00))
        else:
            characters.append(character)
            offsets.append(token.start + position)
        position = found.end()
    if position != end or text[end] != "'":
        return None
    return "".join(characters), (*offsets, token.start + end)


def _is_unicode(found: list[Token], place: int) -> bool:
    """Whether U& stands in front, without a blank between."""
    if place < 2 or found[place].text[:1] != "'":
        return False
    letter, sign = found[place - 2 : place]
    together = letter.end == sign.start and sign.end == found[place].start
    return together and letter.text in ("u", "U") and sign.text == "&"


def _escape(found: list[Token], place: int) -> str:
    """The sign of a UESCAPE clause that follows, else the backslash."""
    after = found[place + 1 : place + 3]
    if len(after) == 2 and after[0].word == "uescape" and len(after[1].text) == 3:
        return after[1].text[1]
    return "\\"
