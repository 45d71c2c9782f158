"""Tokens: every character is in one, in a comment, or white space."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plpgsql.bodies_made import GAPS, INTRUDERS, body_words, joined
from trigger_audit.plpgsql.lexer import identifier, tokenise
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.tree import SyntaxProblem

_STEADY = settings(deadline=None, derandomize=True, database=None)
_PIECES = st.sampled_from((*GAPS, *INTRUDERS, "'", "''", "E'\\'", "$a$", "$", "*/", "/*", "--", 'U&"x"', "1.5e3", "é"))
SOUP = st.lists(_PIECES, max_size=30).map("".join)


def _check(problem: SyntaxProblem, text: str) -> None:
    assert problem.message
    assert 0 <= problem.offset <= len(text)


def _tile(text: str) -> None:
    try:
        tokens, comments = tokenise(text)
    except SyntaxProblem as problem:
        _check(problem, text)
        return
    spans = [(token.start, token.end, token.text) for token in tokens]
    spans += [(comment.span.start, comment.span.end, comment.text) for comment in comments]
    at = 0
    for start, end, piece in sorted(spans, key=lambda span: span[:2]):
        assert text[at:start].strip(" \t\n\r\f\v") == ""
        assert text[start:end] == piece
        at = end
    assert at == len(text)
    assert tokens[-1].kind == "end"


@given(text=st.text(max_size=200) | SOUP)
@settings(_STEADY, max_examples=400)
def test_tokens_tile_any_text(text: str) -> None:
    _tile(text)


@given(text=joined(body_words()))
@settings(_STEADY, max_examples=50)
def test_tokens_tile_bodies(text: str) -> None:
    _tile(text)


@given(text=st.text(max_size=200) | SOUP | SOUP.map(lambda soup: f"begin {soup} end"))
@settings(_STEADY, max_examples=600)
def test_nothing_but_syntax_problems(text: str) -> None:
    try:
        body = parse_body(text)
    except SyntaxProblem as problem:
        _check(problem, text)
    else:
        assert body.source.text == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a<<=b", ["a", "<<=", "b"]),
        ("<<a>>--x\n<<b>>", ["<<", "a", ">>", "<<", "b", ">>"]),
        ("x:=-1", ["x", ":=", "-", "1"]),
        ("x=-1", ["x", "=", "-", "1"]),
        ("x@-1", ["x", "@-", "1"]),
        ("1..10", ["1", "..", "10"]),
        ("1.5..a", ["1.5", "..", "a"]),
        ("a$b$c", ["a$b$c"]),
        ("$a$ ' $$ $a$x", ["$a$ ' $$ $a$", "x"]),
        ("E'\\'' 'a''b' \"c\"\"d\"", ["E'\\''", "'a''b'", '"c""d"']),
        ("'\\'x", ["'\\'", "x"]),
        ("a/* /* */ */b", ["a", "b"]),
        ("a*--c\n/b", ["a", "*", "/", "b"]),
        ("v::text", ["v", "::", "text"]),
        ("a++--c\n-b", ["a", "+", "+", "-", "b"]),
        ("a*+-/**/b", ["a", "*", "+", "-", "b"]),
        ("a@+-b <-+ c", ["a", "@+-", "b", "<", "-", "+", "c"]),
    ],
)
def test_pieces(text: str, pieces: list[str]) -> None:
    assert [token.text for token in tokenise(text)[0][:-1]] == pieces


def test_names_fold_as_postgresql_folds_them() -> None:
    names = [identifier(token) for token in tokenise('Name "Name" "a""b" ÄB \u212aB')[0][:-1]]
    # The Kelvin sign is no K: PostgreSQL gives ASCII letters alone their lower case in UTF-8.
    assert names == ["name", "Name", 'a"b', "Äb", "\u212ab"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 'b", "unterminated quoted string"),
        ('a "b', "unterminated quoted identifier"),
        ("a $x$ $y$", "unterminated dollar-quoted string"),
        ("a /* /* */", "unterminated /* comment"),
    ],
)
def test_what_is_not_closed(text: str, message: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        tokenise(text)
    assert (caught.value.message, caught.value.offset) == (message, 2)


@pytest.mark.parametrize(
    "text",
    ["begin x := 1 {} 1; end", "begin create function f() returns int begin atomic {} end; end"],
    ids=["signs", "body in SQL"],
)
def test_long_bodies_take_time_in_proportion(text: str) -> None:
    """Each piece read anew from every place would take minutes at this length."""
    piece = "+" if ":=" in text else "select 1;"

    def seconds(count: int) -> float:
        started = time.process_time()
        parse_body(text.format(piece * count))
        return time.process_time() - started

    parse_body(text.format(piece))
    assert seconds(40_000) < 20 * max(seconds(4_000), 0.02)
