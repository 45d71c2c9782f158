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
