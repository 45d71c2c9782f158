"""Text that is no statement, or a very long one: a problem that is told, never a crash."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.reading import read


@pytest.mark.parametrize(
    "text",
    [
        "", "SELECT 1; SELECT 2", "SELECT broken FROM WHERE", "INSERT INTO t (a VALUES (1)", "SELECT '", "SELECT \"",
        "SELECT $x$", "/* /* */", "\x00", "SELECT '\ud800'", "SELECT " + "(" * 100_000, ")" * 1000, "SELECT '\x00'",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000, "SELECT a" + " || a" * 600, "SELECT a" + " || a" * 200_000,
        "SELECT " + "NOT " * 50_000 + "a", "SELECT " + "f(" * 3000 + ")" * 3000, "SELECT " + "CASE WHEN a THEN " * 3000,
    ],
)  # fmt: skip
def test_the_unreadable_is_a_problem_and_nothing_else(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    facts = read(text)
    assert facts.problem
    assert "\n" not in facts.problem
    assert facts.node is None
    assert capfd.readouterr() == ("", "")


@given(st.text(max_size=60), st.booleans())
def test_any_text_gives_facts(text: str, expression: bool) -> None:
    facts = read(text, expression=expression)
    assert facts.problem is None or facts.node is None


WORDS = (
    "INSERT INTO t ( a , b ) VALUES SELECT 1 'x' FROM ON CONFLICT DO UPDATE SET = WHERE WITH AS DELETE USING RETURNING "
    'DEFAULT * . [ ] ; NOTHING "q" new.id -- /* */ OVERRIDING MERGE TRUNCATE CALL'
).split()


@given(st.lists(st.sampled_from([*WORDS, "\n"]), max_size=25))
def test_any_run_of_tokens_gives_facts(words: list[str]) -> None:
    facts = read(" ".join(words))
    assert facts.problem is None or facts.node is None


def test_what_only_sqlglot_refuses_keeps_its_writes() -> None:
    facts = read("UPDATE t SET a = 1 WHERE CURRENT OF c")
    assert facts.node is None
    assert facts.problem is not None
    assert len(facts.writes) == 1


@pytest.mark.extended
def test_a_megabyte_takes_seconds() -> None:
    text = "INSERT INTO t VALUES " + ",".join(f"({number}, 'abc{number}', new.x)" for number in range(40_000))
    begin = time.process_time()
    facts = read(text)
    assert facts.problem is None
    assert len(facts.writes[0].rows) == 40_000
    assert time.process_time() - begin < 20
