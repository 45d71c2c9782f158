"""The parser against libpg_query: the same tree, the same lines, the same refusals."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings

from tests.plpgsql.bodies_made import body_words, broken_words, joined
from tests.plpgsql.oracle import Oracle, beyond_the_grammar
from tests.plpgsql.shapes import fragments, our_shape, their_shape
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.tree import Body, SyntaxProblem

_BODIES = sorted(Path(__file__).with_name("bodies").glob("*.sql"))
_STEADY = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _read(text: str) -> Body | SyntaxProblem:
    try:
        return parse_body(text)
    except SyntaxProblem as problem:
        return problem


def _sql_is_wrong(oracle: Oracle, body: Body) -> bool:
    """Whether the main grammar refuses an embedded text: PL/pgSQL's structure is the parser's matter alone."""
    return not all(
        oracle.sql_parses(fragment.text if whole else f"SELECT {fragment.text}") for fragment, whole in fragments(body)
    )


def _compare(oracle: Oracle, text: str) -> str:
    """Asserts that both agree; says in which way."""
    ours, theirs = _read(text), oracle.body(text)
    if theirs.tree is None and theirs.refusal is None:
        return "the oracle had no answer"
    if isinstance(ours, SyntaxProblem):
        if ours.message == "mismatched parentheses" and "begin" not in text[: ours.offset].lower():
            return "a type's brackets"  # PostgreSQL refuses the type itself; libpg_query looks at no type
        if ours.message == "missing expression" and re.search(r":?=\s*$", text[: ours.offset]):
            return "an empty assignment"  # PostgreSQL refuses it when it runs
        assert theirs.refusal is not None, f"refused: {ours.message} at {text[ours.offset :][:40]!r}"
        return "both refuse"
    if theirs.tree is not None:
        assert our_shape(ours) == their_shape(theirs.tree)
        return "both accept"
    assert theirs.refusal is not None
    if beyond_the_grammar(theirs.refusal):
        return "beyond the grammar"
    assert _sql_is_wrong(oracle, ours), f"accepted, but: {theirs.refusal}"
    return "wrong SQL"


@pytest.mark.parametrize("path", _BODIES, ids=lambda path: path.stem)
def test_written_bodies(oracle: Oracle, path: Path) -> None:
    assert _compare(oracle, path.read_bytes().decode()) == "both accept"


def test_there_are_written_bodies() -> None:
    assert len(_BODIES) >= 40
    kinds = Counter(
        type(statement).__name__
        for path in _BODIES
        for statement in tree.walk(parse_body(path.read_bytes().decode()).block)
    )
    # RETURN NEXT and RETURN QUERY are refused in functions that return no set.
    missing = {kind.__name__ for kind in tree.Statement.__args__} - {*kinds, "ReturnNext", "ReturnQuery"}
    assert not missing


@given(text=joined(body_words()))
@settings(_STEADY, max_examples=300)
def test_made_bodies(oracle: Oracle, text: str) -> None:
    event(_compare(oracle, text))


@given(text=joined(broken_words()))
@settings(_STEADY, max_examples=500)
def test_broken_bodies(oracle: Oracle, text: str) -> None:
    event(_compare(oracle, text))
