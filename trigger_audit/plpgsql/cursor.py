"""A place in the token list, and how PL/pgSQL reads the SQL embedded in a body: tokens up to a terminator."""

from __future__ import annotations

import re
from collections.abc import Callable

from trigger_audit.plpgsql.lexer import Token, tokenise
from trigger_audit.plpgsql.tree import Fragment, Span, SyntaxProblem

# pl_reserved_kwlist.h: never the name of a variable, a label or a field.
RESERVED = frozenset(
    "all begin by case declare else end execute for foreach from if in into loop not null or strict then to using "
    "when while".split()
)
_OPEN = {"(": ")", "[": "]"}


_CONTINUES = re.compile(r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*")
_DEEPEST = 9_990
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")


class Cursor:
    """The parser's position. `text` is the body."""

    __slots__ = ("at", "comments", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens, self.comments = tokenise(text)
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def ahead(self, distance: int = 1) -> Token:
        return self.tokens[min(self.at + distance, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def sees(self, *words: str) -> bool:
        """Whether the coming tokens are these words or marks. A quoted name is never a keyword."""
        at, last = self.at, len(self.tokens) - 1
        for word in words:
            token = self.tokens[min(at, last)]
            if token.word != word or token.kind in ("quoted", "string"):
                return False
            at += 1
        return True

    def take(self, *words: str) -> bool:
        """Step over these words if they come."""
        if not self.sees(*words):
            return False
        self.at += len(words)
        return True

    def expect(self, word: str) -> Token:
        if not self.sees(word):
            raise self.problem()
        return self.next()

    def problem(self, token: Token | None = None) -> SyntaxProblem:
        """PostgreSQL's own wording."""
        wrong = token or self.token
        if wrong.kind == "end":
            return SyntaxProblem("syntax error at end of input", wrong.start)
        return SyntaxProblem(f'syntax error at or near "{wrong.text[:60]}"', wrong.start)

    def name(self) -> Token:
        """An identifier, quoted or not; PL/pgSQL's reserved words are none."""
        if not is_name(self.token):
            raise self.problem()
        return self.next()

    def string(self) -> str:
        """A string as written, with what continues it: PostgreSQL joins strings that a line break parts.

        U&'...' is none here, nor are b'...' and x'...': the main parser alone knows them.
        """
        if self.token.kind != "string" or self.token.text[0] not in "'eE$":
            raise self.problem()
        first = last = self.next()
        while (
            first.text[0] != "$"
            and self.token.kind == "string"
            and self.token.text[0] == "'"
            and _CONTINUES.fullmatch(self.text, last.end, self.token.start)
        ):
            last = self.next()
        return self.text[first.start : last.end]

    def sqlstate(self) -> str:
        """The five characters behind SQLSTATE."""
        token = self.token
        code = self.string().strip("'")
        if not _SQLSTATE.fullmatch(code):
            raise SyntaxProblem(f'invalid SQLSTATE code at or near "{token.text[:60]}"', token.start)
        return code

    def until(self, stop: Callable[[Cursor], bool], *, missing: str, empty_allowed: bool = False) -> Fragment:
        """The tokens up to one outside parentheses that `stop` wants, as PostgreSQL's read_sql_construct takes them.

        A semicolon ends every construct. `missing` is the terminator's name for the error.
        """
        start = self.at
        closers: list[str] = []
        while True:
            token = self.token
            if token.kind == "end" or (token.word == ";" and token.kind == "punctuation"):
                if not closers and stop(self):
                    break
                if closers:
                    raise SyntaxProblem("mismatched parentheses", token.start)
                if token.kind == "end":
                    raise self.problem()
                raise SyntaxProblem(f'missing "{missing}" at end of SQL expression', token.start)
            if not closers and stop(self):
                break
            if token.kind == "punctuation":
                if token.word in _OPEN:
                    closers.append(_OPEN[token.word])
                    check_depth(len(closers), token)
                elif token.word in (")", "]") and (not closers or closers.pop() != token.word):
                    raise SyntaxProblem("mismatched parentheses", token.start)
            self.at += 1
        if self.at == start and not empty_allowed:
            raise SyntaxProblem("missing expression", self.token.start)
        return self.fragment(start, self.at)

    def fragment(self, start: int, end: int) -> Fragment:
        """The tokens from start to end (exclusive) as they stand in the body."""
        if start >= end:
            offset = self.tokens[start].start
            return Fragment("", Span(offset, offset))
        span = Span(self.tokens[start].start, self.tokens[end - 1].end)
        return Fragment(self.text[span.start : span.end], span)

    def span_from(self, start: int) -> Span:
        """From a token's first character to the last one read."""
        return Span(self.tokens[start].start, self.tokens[max(start, self.at - 1)].end)


def check_depth(depth: int, token: Token) -> None:
    """The stack of PostgreSQL's main parser (YYMAXDEPTH) has 10,000 places."""
    if depth >= _DEEPEST:
        raise SyntaxProblem(f'memory exhausted at or near "{token.text}"', token.start)


def is_name(token: Token) -> bool:
    """Whether PL/pgSQL takes it for a word; `$1` is one like any other."""
    return token.kind in ("quoted", "parameter") or (token.kind == "word" and token.word not in RESERVED)


def at_words(*words: str) -> Callable[[Cursor], bool]:
    """A stop for `Cursor.until`: one of these words or marks."""
    wanted = frozenset(words)
    return lambda cursor: cursor.token.word in wanted and cursor.token.kind not in ("quoted", "string")
