"""PostgreSQL's lexical rules: a body's tokens with their exact characters, comments kept apart."""

from __future__ import annotations

import re
import string
from typing import NamedTuple

from trigger_audit.plpgsql.tree import Comment, Span, SyntaxProblem

BLANKS = " \t\n\r\f\v"
"""What PostgreSQL passes over between tokens; str.strip() by itself takes letters of its names away too."""

# Blanks go with the token behind them, and words come first, for nearly all tokens are words (measured: half the time).
# Letters that make a prefix of a quote are no word.
_TOKEN = re.compile(
    r"""
    [ \t\n\r\f\v]*
    (?:
    (?P<word>(?!(?:[eEbBxXnN]|[uU]&)['"])[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
  | (?P<punctuation>[()\[\],;]|:(?![:=])|\.(?![.\d]))
  | (?P<comment>--[^\n\r]*)
  | (?P<block>/\*)
  | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")+")
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
  | (?P<unclosed>(?:[eEbBxXnN]|[uU]&)?['"])
  | (?P<number>0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+
      | (?:\d[\d_]*(?:\.(?!\.)[\d_]*)? | \.\d[\d_]*)(?:[eE][+-]?\d+)?)
  | (?P<parameter>\$\d+)
  | (?P<mark>:=|\.\.|::)
  | (?P<operator>(?:(?!--|/\*)[+\-*/<>=~!@\#%^&|`?])+)
  | (?P<end>\Z)
  | (?P<other>.)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_MAY_END_IN_SIGN = re.compile(r"[~!@#%^&|`?]")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """`kind` is word, quoted, string, number, parameter, mark, operator, punctuation, other or end.

    `word` is the text folded as PostgreSQL folds names for words, the text itself for everything else.
    """

    kind: str
    text: str
    start: int
    end: int
    word: str


def tokenise(text: str) -> tuple[list[Token], list[Comment]]:
    """All tokens, the last one of kind end. Raises SyntaxProblem for an unterminated quote or comment."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    end = 0
    match = _TOKEN.match
    while True:
        found = match(text, end)
        assert found is not None  # the last alternative takes any character
        assert found.lastgroup is not None
        kind = found.lastgroup
        start, end = found.span(kind)
        piece = text[start:end]
        if kind == "word":
            tokens.append(Token(kind, piece, start, end, _folded(piece)))
            continue
        if kind == "comment":
            comments.append(Comment(piece, Span(start, end)))
            continue
        if kind == "block":
            end = _block_comment_end(text, start)
            comments.append(Comment(text[start:end], Span(start, end)))
            continue
        if kind == "unclosed":
            what = "quoted identifier" if piece.endswith('"') else "quoted string"
            raise SyntaxProblem(f"unterminated {what}", start)
        if kind == "dollar":
            closing = text.find(piece, end)
            if closing < 0:
                raise SyntaxProblem("unterminated dollar-quoted string", start)
            kind, end = "string", closing + len(piece)
            piece = text[start:end]
        elif kind == "operator":
            piece = _operator(piece)
            tokens.append(Token(kind, piece, start, start + len(piece), piece))
            # The signs cut off are an operator each.
            tokens += (Token(kind, text[at], at, at + 1, text[at]) for at in range(start + len(piece), end))
            continue
        tokens.append(Token(kind, piece, start, end, piece))
        if kind == "end":
            return tokens, comments


def _folded(word: str) -> str:
    """downcase_identifier: in UTF-8 the letters of ASCII alone have a lower case."""
    return word.lower() if word.isascii() else word.translate(_LOWER)


def _operator(run: str) -> str:
    """A run of operator characters ends in + or - only if it holds one of ~ ! @ # % ^ & | ` ? (scan.l)."""
    if len(run) > 1 and not _MAY_END_IN_SIGN.search(run):
        return run.rstrip("+-") or run[0]
    return run


def _block_comment_end(text: str, start: int) -> int:
    depth, at = 0, start
    while True:
        edge = _BLOCK_EDGE.search(text, at)
        if edge is None:
            raise SyntaxProblem("unterminated /* comment", start)
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
        if depth == 0:
            return at


def identifier(token: Token) -> str:
    """A name as PostgreSQL stores it: words in lower case, quoted ones without their quotes."""
    if token.kind == "quoted":
        inner = token.text[token.text.index('"') + 1 : -1]
        return inner.replace('""', '"')
    return token.word
