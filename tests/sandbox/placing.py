"""SQL texts with a mark where something is expected, and the text that a place in a file means."""

from __future__ import annotations

from trigger_audit.findings.model import FilePlace

MARK = "@@"


def without_mark(text: str) -> tuple[str, tuple[int, int]]:
    """The text without its one mark, and the (line, column) where that stood."""
    before, after = text.split(MARK)
    return before + after, (before.count("\n") + 1, len(before) - before.rfind("\n"))


def cut(text: str, place: FilePlace) -> str:
    """What stands in the file's text at the place."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return text[starts[place.line - 1] + place.column - 1 : starts[place.end_line - 1] + place.end_column - 1]
