"""From the server's error to a complaint about a place of the body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trigger_audit.analysis.model import Complaint
from trigger_audit.plpgsql.lexer import tokenise
from trigger_audit.plpgsql.tree import Span, SyntaxProblem

if TYPE_CHECKING:
    from trigger_audit.analysis.questions.model import Reply
    from trigger_audit.analysis.questions.rewriting import Missing, Text

BELIEVED = frozenset({
    "42P01", "3F000", "42883", "42704", "42703", "42702", "42804", "42601", "42846", "42725", "42P10", "42701", "428C9",
    "42803", "42809", "42712", "42P09", "42P02", "22P02", "22007", "22008", "22003",
})  # fmt: skip
"""SQLSTATEs of parse analysis that tell of the body's own fault. 55000 is an echo, 42P18 and 42P08 would be ours."""

MISSING_OBJECT = frozenset({"42P01", "3F000", "42883", "42704", "42703"})
"""What a test for existence may have kept from happening."""

BELIEVED_OF_PARTS = frozenset({"42P01", "3F000"})
"""What can be believed of a statement in which something of unknown type became NULL."""

_QUOTED = re.compile(r'"([^"]*)"')
_CALLABLE = re.compile(r"(?:function|procedure|aggregate|routine) (.+?) (?:does not exist|is not unique)", re.DOTALL)
_OPERATOR = re.compile(r"operator (?:does not exist|is not unique): (.+)", re.DOTALL)
_BARE_COLUMN = re.compile(r"column (?:reference )?(\S+) (?:does not exist|is ambiguous)")


def complaint(reply: Reply, text: Text, body: str, fallback: Span) -> Complaint | None:
    """The server's error in PL/pgSQL's terms; None where it is about our own words and not about the body's."""
    assert reply.sqlstate is not None
    piece = text.piece_at(reply.position) if reply.position is not None else None
    if piece is None or piece.span is None:
        return Complaint(reply.sqlstate, reply.message, _name(reply, ""), _trimmed(body, fallback), reply.hint)
    if not piece.copied:
        if reply.sqlstate == "42601":
            return None
        if reply.sqlstate == "42703" and piece.field is not None:
            return _no_field(*piece.field, piece.span)
        span = piece.span
    else:
        assert reply.position is not None
        span = _word_at(body, piece.span.start + reply.position - piece.at, piece.span.end)
    name = _name(reply, body[span.start : span.end])
    return Complaint(reply.sqlstate, reply.message, name, span, reply.hint)


def missing_field(missing: Missing) -> Complaint:
    """A field that a record does not have, worded as PL/pgSQL does at run time."""
    return _no_field(missing.record, missing.name, missing.span)


def _no_field(record: str, name: str, span: Span) -> Complaint:
    return Complaint("42703", f'record "{record}" has no field "{name}"', name, span)


def _name(reply: Reply, written: str) -> str:
    """The thing complained of as the server quotes it. Messages of other languages than English: as it is written."""
    return complained_of(reply.message, reply.sqlstate) or written


def complained_of(message: str, sqlstate: str | None) -> str:
    """What an error's message is about, as the server quotes it; '' where it quotes nothing."""
    for pattern in (_CALLABLE, _OPERATOR, _BARE_COLUMN):
        found = pattern.search(message)
        if found is not None:
            return str(found[1]).strip('"')
    quoted = _QUOTED.findall(message)
    if not quoted:
        return ""
    # `invalid input value for enum plan: "gold"` names the value last; so does what PL/pgSQL says while it runs:
    # `record "new" has no field "name"`. Else the thing comes first.
    last = sqlstate in ("22P02", "22007", "22008", "22003") or "has no field" in message
    return str(quoted[-1] if last else quoted[0])


def _word_at(body: str, at: int, end: int) -> Span:
    """The dotted name, literal or sign at a place of the body."""
    try:
        tokens = tokenise(body[at:end])[0]
    except SyntaxProblem:
        return Span(at, max(at, end))
    last = 0
    if tokens[0].kind in ("word", "quoted"):
        while tokens[last + 1].word == "." and tokens[last + 2].kind in ("word", "quoted"):
            last += 2
    if tokens[0].start:  # the place is blank, at the end of a clause
        return Span(at, at)
    return Span(at, at + tokens[last].end)


def _trimmed(body: str, span: Span) -> Span:
    text = body[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip())
    return Span(start, max(start, span.end - len(text) + len(text.rstrip())))
