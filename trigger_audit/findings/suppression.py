"""`-- trigger-audit: ignore TA301 reason` in a body: what such a comment silences, and which comments are idle.

Pure: from the bodies' comments and the findings to findings. What a faulty comment is told is TA004's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Place
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.lexer import Token, tokenise

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, BodyFacts

ABOUT_COMMENTS = "TA004"
"""The rule about these comments: none of them silences it, or a useless one could cover itself."""

_MARK = "trigger-audit"
_DIRECTIVE = re.compile(rf"{_MARK}\s*:\s*(?P<word>[\w-]+)(?P<rest>.*)", re.IGNORECASE)
_CODES = re.compile(r"[\s:]*(?P<codes>TA\d+\b(?:\s*,\s*TA\d+\b)*)(?P<reason>.*)", re.IGNORECASE)
_CODE = re.compile(r"\bTA\d+\b", re.IGNORECASE)
_NO_REASON = re.compile(r"(?:[\W_]|\bTA\d+\b)*", re.IGNORECASE)
_BEFORE_A_REASON = " ,;:.-\N{EN DASH}\N{EM DASH}"

_Position = tuple[int, int]
_Unit = tree.Statement | tree.AnyDeclaration | tree.Branch | tree.Handler


class Reach(StrEnum):
    """What a comment covers, the narrowest first. Nothing: no statement follows it, or the body could not be read."""

    LINE = "line"
    STATEMENT = "statement"
    FUNCTION = "function"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Scope:
    """`start` and `end` (exclusive) are (line, column) from 1, for a statement; of a line, `start` alone counts."""

    reach: Reach
    start: _Position = (1, 1)
    end: _Position = (1, 1)

    @property
    def narrowness(self) -> tuple[int, _Position]:
        """Sorts the narrower scope first: of two statements of which one is in the other, the inner starts later."""
        return list(Reach).index(self.reach), (-self.start[0], -self.start[1])

    def covers(self, place: Place) -> bool:
        """Whether it covers a place in its function: a line those that begin or end on it."""
        if self.reach is Reach.FUNCTION:
            return True
        if self.reach is Reach.LINE:
            last = place.end_line - (place.end_column == 1 and place.end_line > place.line)
            return self.start[0] in (place.line, last)
        return self.reach is Reach.STATEMENT and self.start <= (place.line, place.column) < self.end


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """A comment that begins with `trigger-audit: ignore`, or that was meant to.

    `place` is the comment's own. `word` is what stands for `ignore`, `codes` the rules in upper case, each once, as
    written whether they exist or not; `reason` is '' where none is given. `rest` is all behind `word`. `is_read` tells
    whether the function's body could be parsed.
    """

    place: Place
    scope: Scope
    word: str
    rest: str
    codes: tuple[str, ...]
    reason: str
    is_read: bool

    @property
    def silences(self) -> tuple[str, ...]:
        """The codes that it may silence: none without a reason."""
        if self.word != "ignore" or not self.reason:
            return ()
        return tuple(code for code in self.codes if code != ABOUT_COMMENTS)

    def silenced(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        if finding.rule not in self.silences:
            return False
        if finding.place is None:
            return self.scope.reach is Reach.FUNCTION and finding.object == self.place.function
        return finding.place.function == self.place.function and self.scope.covers(finding.place)


def ignore_comments(audit: Audit) -> tuple[IgnoreComment, ...]:
    """The comments of all functions that the cascade runs, in the order of its first visits and of the text."""
    functions = dict.fromkeys(visit.function.oid for visit in audit.cascade.visits)
    return tuple(comment for oid in functions for comment in comments_of(audit.bodies[oid]))


def comments_of(facts: BodyFacts) -> Iterator[IgnoreComment]:
    """The comments of one PL/pgSQL or SQL function. BEGIN ATOMIC has none: PostgreSQL keeps the parsed statements."""
    text = facts.function.source
    if _MARK not in text.lower() or (facts.body is None and facts.problem is None):
        return
    try:
        tokens, comments = tokenise(text)
    except tree.SyntaxProblem:
        return  # where a quote is not closed, comments cannot be told from text
    source = tree.Source(text)
    for comment in comments:
        said = _directive(comment.text)
        if said is None:
            continue
        word, rest, codes, reason = said
        line, column = source.place(comment.span.start)
        end_line, end_column = source.place(comment.span.end)
        place = Place(facts.function.name, line, column, end_line, end_column, comment.text, source.line(line))
        scope = _scope(facts, source, tokens, comment)
        yield IgnoreComment(place, scope, word, rest, codes, reason, is_read=facts.body is not None)


def suppressed(findings: Iterable[Finding], comments: Collection[IgnoreComment]) -> tuple[Finding, ...]:
    """The findings in their order, those that a comment silences with its reason. They are still there."""
    if not comments:
        return tuple(findings)
    by_function = _by_function(comments)

    def told(finding: Finding) -> Finding:
        comment = _narrowest(finding, by_function)
        return finding if comment is None else replace(finding, suppressed=comment.reason)

    return tuple(told(finding) for finding in findings)


def idle(comments: Collection[IgnoreComment], said: Iterable[Finding]) -> tuple[tuple[IgnoreComment, str], ...]:
    """The codes of comments that silence nothing of all that was said, before folding: (comment, code), in order.

    Where two comments cover a finding, the narrower one silences it.
    """
    used: set[tuple[IgnoreComment, str]] = set()
    by_function = _by_function(comments)
    for finding in said:
        comment = _narrowest(finding, by_function)
        if comment is not None:
            used.add((comment, finding.rule))
    every = ((comment, code) for comment in comments for code in comment.silences)
    return tuple(pair for pair in every if pair not in used)


def _by_function(comments: Iterable[IgnoreComment]) -> dict[str, list[IgnoreComment]]:
    grouped: dict[str, list[IgnoreComment]] = {}
    for comment in sorted(comments, key=lambda comment: comment.scope.narrowness):
        grouped.setdefault(comment.place.function, []).append(comment)
    return grouped


def _narrowest(finding: Finding, by_function: dict[str, list[IgnoreComment]]) -> IgnoreComment | None:
    function = finding.place.function if finding.place is not None else finding.object
    return next((comment for comment in by_function.get(function, ()) if comment.silenced(finding)), None)


def _directive(comment: str) -> tuple[str, str, tuple[str, ...], str] | None:
    """(word, rest, codes, reason) of a comment that is meant for us, else None."""
    inner = comment[2:-2] if comment.startswith("/*") else comment.lstrip("-")
    # Lines of a long block comment often begin with a star.
    text = " ".join(line.strip().lstrip("*") for line in inner.splitlines())
    found = _DIRECTIVE.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    word, rest = found["word"].lower(), found["rest"].strip()
    named = _CODES.fullmatch(found["rest"])
    if word != "ignore" and _CODE.search(rest) is None:
        return None  # prose that begins with our name
    if named is None:
        return word, rest, (), ""
    codes = tuple(dict.fromkeys(code.strip().upper() for code in named["codes"].split(",")))
    reason = named["reason"].lstrip(_BEFORE_A_REASON).rstrip()
    return word, rest, codes, "" if _NO_REASON.fullmatch(reason) else reason


def _scope(facts: BodyFacts, source: tree.Source, tokens: Sequence[Token], comment: tree.Comment) -> Scope:
    start, end = comment.span.start, comment.span.end
    line, column = source.place(start)
    if any(start - column + 1 < token.end and token.start < start for token in tokens):
        return Scope(Reach.LINE, (line, 1))
    if end <= _head(facts, tokens):
        return Scope(Reach.FUNCTION)
    span = None if facts.body is None else _covered(facts.body.block, comment.span)
    if span is None:
        return Scope(Reach.NOTHING)
    return Scope(Reach.STATEMENT, source.place(span.start), source.place(span.end))


def _head(facts: BodyFacts, tokens: Sequence[Token]) -> int:
    """Where a comment is no longer one about the function: the first BEGIN of PL/pgSQL, the first statement of SQL."""
    if facts.function.language == "sql":
        return tokens[0].start
    # BEGIN is reserved: no variable or label is called so. But what a declaration embeds may hold the word.
    behind = max((each.span.end for each in facts.body.block.declarations), default=0) if facts.body else 0
    return next((token.start for token in tokens if token.word == "begin" and token.start >= behind), 0)


def _covered(block: tree.Block, comment: tree.Span) -> tree.Span | None:
    """The statement that the comment stands in, if nothing can be nested in that; else the next one in the text."""
    units = list(_inside(block))
    for unit in units:
        if unit.span.start < comment.start and comment.end <= unit.span.end and _is_simple(unit):
            return unit.span
    behind = (unit.span for unit in units if unit.span.start >= comment.end)
    return min(behind, key=lambda span: (span.start, -span.end), default=None)


def _inside(block: tree.Block) -> Iterator[_Unit]:
    """Everything in a block that a comment may stand above: statements, declarations, branches and handlers."""
    yield from block.declarations
    yield from block.handlers
    for group in tree.substatements(block):
        for statement in group:
            for each in tree.walk(statement):
                yield each
                match each:
                    case tree.Block():
                        yield from each.declarations
                        yield from each.handlers
                    case tree.If() | tree.Case():
                        yield from each.branches
                    case _:
                        pass


def _is_simple(unit: _Unit) -> bool:
    if isinstance(unit, tree.Branch | tree.Handler):
        return False
    return isinstance(unit, tree.AnyDeclaration) or next(tree.substatements(unit), None) is None
