"""Places in the tree: spans nest, texts are the body's, comments stay, and no body is too much."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.plpgsql.bodies_made import body_words, joined
from tests.plpgsql.shapes import fragments, our_shape
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.lexer import tokenise
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.tree import Body, Span, SyntaxProblem

_BODIES = sorted(Path(__file__).with_name("bodies").glob("*.sql"))
_STEADY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


def _inside(inner: Span, outer: Span) -> None:
    assert outer.start <= inner.start <= inner.end <= outer.end


def _check_places(body: Body) -> None:
    text = body.source.text
    for statement in tree.walk(body.block):
        groups = list(tree.substatements(statement))
        if isinstance(statement, tree.Block):
            groups.append(statement.declarations)  # type: ignore[arg-type]
            for handler in statement.handlers:
                _inside(handler.span, statement.span)
                for one in handler.body:
                    _inside(one.span, handler.span)
        if isinstance(statement, tree.If | tree.Case):
            for branch in statement.branches:
                _inside(branch.span, statement.span)
                _inside(branch.condition.span, branch.span)
        for group in groups:
            at = statement.span.start
            for one in group:
                _inside(one.span, statement.span)
                assert one.span.start >= at, "in the order of the text, none overlapping"
                at = one.span.end
        if isinstance(statement, tree.Sql) and statement.into_span is not None:
            _inside(statement.into_span, statement.sql.span)
            assert body.source.slice(statement.into_span).lower().startswith("into")
    for fragment, whole in fragments(body):
        assert len(fragment.text) == fragment.span.end - fragment.span.start or not whole
    _check_texts(body)
    expected = tokenise(text)[1]
    assert list(body.comments) == expected
    assert all(text[c.span.start : c.span.end] == c.text for c in body.comments)


def _check_texts(body: Body) -> None:
    """A fragment reads as the body does, but for an INTO that is taken out and PERFORM that became SELECT."""
    for statement in tree.walk(body.block):
        match statement:
            case tree.Sql():
                place, text = statement.sql.span, list(body.source.slice(statement.sql.span))
                if statement.into_span is not None:
                    start, end = statement.into_span.start - place.start, statement.into_span.end - place.start
                    text[start:end] = " " * (end - start)
                assert statement.sql.text == "".join(text)
            case tree.Perform():
                written = body.source.slice(statement.query.span)
                assert written.lower().startswith("perform")
                assert statement.query.text == "SELECT " + written[len("perform") :]
            case tree.Assign():
                assert body.source.slice(statement.value.span) == statement.value.text
                assert body.source.slice(statement.target_span) == statement.target
            case tree.Return() if statement.value is not None:
                assert body.source.slice(statement.value.span) == statement.value.text
            case tree.If():
                assert all(body.source.slice(b.condition.span) == b.condition.text for b in statement.branches)
            case _:
                pass


def _without_lines(shape: object) -> object:
    if isinstance(shape, tuple):
        return tuple(_without_lines(part) for part in shape if not isinstance(part, int) or isinstance(part, bool))
    return shape


def _check_reparse(body: Body) -> None:
    """A statement's own text, alone in a body, is that statement again."""
    for statement in body.block.body:
        if isinstance(statement, tree.Exit):
            continue
        closing = ";" if isinstance(statement, tree.Block) else ""  # the only statement whose span has no semicolon
        again = parse_body(f"begin\n{body.source.slice(statement.span)}{closing}\nend")
        alone = Body(body.source, tree.Block(None, (), (statement,), (), body.block.span), ())
        assert _without_lines(our_shape(again)[3]) == _without_lines(our_shape(alone)[3])


@pytest.mark.parametrize("path", _BODIES, ids=lambda path: path.stem)
def test_places_in_written_bodies(path: Path) -> None:
    body = parse_body(path.read_bytes().decode())
    _check_places(body)
    _check_reparse(body)


@given(text=joined(body_words()))
@settings(_STEADY, max_examples=100)
def test_places_in_made_bodies(text: str) -> None:
    body = parse_body(text)
    _check_places(body)
    _check_reparse(body)


_DEEP = 10_000


@pytest.mark.parametrize(
    "inside",
    [
        "begin " * _DEEP + "end; " * _DEEP,
        "if a then " * _DEEP + "end if; " * _DEEP,
        "loop " * _DEEP + "end loop; " * _DEEP,
        "for i in 1..2 loop " * _DEEP + "end loop; " * _DEEP,
        "case a when 1 then " * _DEEP + "end case; " * _DEEP,
        "begin exception when others then " * _DEEP + "end; " * _DEEP,
        "v := " + "(" * _DEEP + ")" * _DEEP + ";",
        "select " + "(" * _DEEP + ")" * _DEEP + ";",
        "begin " * _DEEP,
        "(" * _DEEP,
        "v" + "[" * _DEEP + ";",
    ],
    ids=["block", "if", "loop", "for", "case", "handler", "parentheses", "select", "open", "opened", "brackets"],
)
def test_ten_thousand_deep_is_refused(inside: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse_body(f"begin {inside} end")


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("begin", "end;"), ("if a then", "end if;"), ("for i in 1..2 loop", "end loop;"), ("while a loop", "end loop;")],
)
def test_a_hundred_deep_is_read(opening: str, closing: str) -> None:
    body = parse_body(f"begin {f'{opening} ' * 100} null; {f'{closing} ' * 100} end")
    assert sum(1 for _ in tree.walk(body.block)) == 102


_PIECES = """
  new.email := lower(coalesce(new.email, 'x')); -- a comment
  insert into t (a, b) values (new.id, 'x') returning a into v;
  if a[1] = 2 then perform f(1, 2); elsif v is null then raise notice 'x %', v; end if;
"""


def test_a_megabyte_is_read_in_ten_seconds() -> None:
    times = 1_000_000 // len(_PIECES)
    text = f"begin{_PIECES * times} return new; end"
    before = time.process_time()
    body = parse_body(text)
    assert time.process_time() - before < 10
    assert len(body.block.body) == 3 * times + 1


def test_a_problem_can_cross_a_context_manager() -> None:
    """contextlib sets the traceback of what it hands on."""

    @contextmanager
    def around() -> Iterator[None]:
        yield

    with pytest.raises(SyntaxProblem), around():
        parse_body("begin")


def test_one_long_string_is_read() -> None:
    body = parse_body("begin v := '" + "it''s " * 160_000 + "'; end")
    assert isinstance(body.block.body[0], tree.Assign)
