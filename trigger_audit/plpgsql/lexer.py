"""PostgreSQL's lexical rules: a body's tokens with their exact characters, comments kept apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trigger_audit.plpgsql.tree import Comment, Span, SyntaxProblem

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\n\r\f\v]+)
  | (?P<comment>--[^\n\r]*)
  | (?P<block>/\*)
  | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")+")
  | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?)\$)
  | (?P<unclosed>(?:[eEbBxXnN]|[uU]&)?['"])
  | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
  | (?P<number>0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+
      | (?:\d[\d_]*(?:\.(?!\.)[\d_]*)? | \.\d[\d_]*)(?:[eE][+-]?\d+)?)
  | (?P<parameter>\$\d+)
  | (?P<mark>:=|\.\.|<<|>>|::)
  | (?P<operator>(?:(?!--|/\*)[+\-*/<>=~!@\#%^&|`?])+)
  | (?P<punctuation>[()\[\],;:.])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MAY_END_IN_SIGN = re.compile(r"[~!@#%^&|`?]")
_BLOCK_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is word, quoted, string, number, parameter, mark, operator, punctuation, other or end.

    `word` is the text in lower case for words, the text itself for everything else.
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
    at, length = 0, len(text)
    match = _TOKEN.match
    while at < length:
        found = match(text, at)
        assert found is not None  # the last alternative takes any character
        kind = found.lastgroup or "other"
        end = found.end()
        if kind == "space":
            at = end
            continue
        if kind == "comment":
            comments.append(Comment(found[0], Span(at, end)))
            at = end
            continue
        if kind == "block":
            end = _block_comment_end(text, at)
            comments.append(Comment(text[at:end], Span(at, end)))
            at = end
            continue
        if kind == "unclosed":
            what = "quoted identifier" if found[0].endswith('"') else "quoted string"
            raise SyntaxProblem(f"unterminated {what}", at)
        if found["dollar"]:
            closing = text.find(found["dollar"], end)
            if closing < 0:
                raise SyntaxProblem("unterminated dollar-quoted string", at)
            kind, end = "string", closing + len(found["dollar"])
        if kind == "operator":
            end = at + len(_operator(found[0]))
        piece = text[at:end]
        tokens.append(Token(kind, piece, at, end, piece.lower() if kind == "word" else piece))
        at = end
    tokens.append(Token("end", "", length, length, ""))
    return tokens, comments


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
