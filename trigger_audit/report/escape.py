"""Text from the database is hostile: what could move the cursor, reorder or hide text is made visible."""

from __future__ import annotations

import unicodedata

# Control, format (bidirectional marks, zero-width characters), line and paragraph separators, surrogates, private use.
_UNSAFE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(character: str) -> str:
    """The character itself, or its escape where a terminal would act on it."""
    if character.isascii() and character.isprintable():
        return character
    if character in _SHORT:
        return _SHORT[character]
    if unicodedata.category(character) in _UNSAFE:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def plain(text: str) -> str:
    """One line that is safe to print."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(visible(character) for character in text)


def excerpt(line: str, start: int, end: int, width: int) -> tuple[str, str]:
    """A source line and the carets below it, cut to `width` around the carets.

    `start` and `end` are character offsets in the line, from 0, the end exclusive. Tabs become four blanks; characters
    that take two columns get two carets.
    """
    end = max(end, start + 1)
    left = max(0, start - width // 2) if len(line) > width else 0
    right = min(len(line), left + width)
    shown: list[str] = ["..."] if left else []
    carets: list[str] = ["   "] if left else []
    for at in range(left, right):
        character = line[at]
        text = "    " if character == "\t" else visible(character)
        columns = len(text) + (len(text) == 1 and unicodedata.east_asian_width(text) in "WF")
        if unicodedata.combining(character):
            columns = 0
        shown.append(text)
        carets.append(("^" if start <= at < end else " ") * columns)
    if end > len(line):
        carets.append("^")
    if right < len(line):
        shown.append("...")
    return "".join(shown).rstrip(), "".join(carets).rstrip()
