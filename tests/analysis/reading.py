"""Reads a statement or an expression as it stands in a body, for tests."""

from __future__ import annotations

from trigger_audit.analysis.model import Assignment, SqlFacts, Write
from trigger_audit.analysis.statements import read_expression, read_statement
from trigger_audit.plpgsql.tree import Fragment, Span

# The fragment stands somewhere in a body: every place is counted from there.
OFFSET = 37


def read(text: str, *, expression: bool = False) -> SqlFacts:
    fragment = Fragment(text, Span(OFFSET, OFFSET + len(text)))
    return read_expression(fragment) if expression else read_statement(fragment)


def cut(text: str, span: Span) -> str:
    return text[span.start - OFFSET : span.end - OFFSET]


def only_write(text: str) -> Write:
    (write,) = read(text).writes
    return write


def values(row: tuple[Assignment, ...]) -> list[tuple[str, str | None]]:
    return [
        (entry.column, "DEFAULT" if entry.is_default else entry.value.text if entry.value else None) for entry in row
    ]
