"""A line of source with carets below what is meant."""

from __future__ import annotations

import unicodedata

from trigger_audit.visible import visible


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
