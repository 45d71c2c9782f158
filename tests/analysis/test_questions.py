"""What is read from a fragment before the server is asked. The server's side is in tests/ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_audit.analysis.questions import branches
from trigger_audit.analysis.questions.namespace import Fields, Frame, Lack, Nature, Variable, join, lookup
from trigger_audit.analysis.questions.parsing import Parsed, Unreadable, parse
from trigger_audit.analysis.questions.rewriting import Rewriter

KNOWN = {"tg_table_name": "users", "tg_table_schema": "auth", "tg_relname": "users"}


def references(text: str, *, is_expression: bool = False) -> list[str]:
    return [text[one.start : one.end] for one in parse(text, is_expression=is_expression).references]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "select new.a, 'new.b', \"New\".\"c d\" . e, f(g) from h where i = $1",
            ["new.a", '"New"."c d" . e', "g", "i", "$1"],
        ),
        (
            "insert into t (a, b) values (c, d.e) on conflict (a) do update set b = excluded.b",
            ["c", "d.e", "excluded.b"],
        ),
        ("update t set a = b, (c, d) = (select e, f) where g returning h", ["b", "e", "f", "g", "h"]),
        ("select 'ďéß🙂', é.ö, a", ["é.ö", "a"]),
        ("select a::geometry(point, 4326), b[c], (d).e", ["a", "b", "c", "d"]),
        ("select new.*, row(old.*)", ["new.*", "old.*"]),
    ],
)  # fmt: skip
def test_references_are_columns_alone(text: str, found: list[str]) -> None:
    assert references(text) == found


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("tg_table_name = 'users'", True),
        ("TG_TABLE_NAME <> 'users'", False),
        ("tg_table_name in ('a', 'users')", True),
        ("tg_table_name not in ('a', 'users')", False),
        ("tg_table_name = any (array['a', 'b'])", False),
        ("tg_table_schema || '.' || tg_table_name = 'auth.users'", True),
        ("format('%I.%I', tg_table_schema, tg_table_name) = 'auth.users'", False),
        ("tg_table_name = 'users' and new.x", None),
        ("tg_table_name = 'a' and new.x", False),
        ("tg_table_name = 'users' or new.x", True),
        ("not (tg_relname = 'a' or false)", True),
        ("tg_op = 'INSERT'", None),
        ("tg_table_name in ('a', new.x)", None),
        ("tg_table_name = 'a' from t", None),
        ("a.tg_table_name = 'a'", None),
    ],
)
def test_conditions_on_the_table(condition: str, value: bool | None) -> None:
    if condition.startswith("format"):
        # %I quotes what it must; our copy quotes always, and so decides nothing here.
        assert branches.text_of(parse("format('%I', tg_table_name)", is_expression=True), KNOWN) == '"users"'
        return
    assert branches.holds(parse(condition, is_expression=True), KNOWN) is value


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a' || 'b' || E'\\n'", "ab\n"),
        ("format('%s %% %I %L', 'a', 'b\"c', 'd''e')", "a % \"b\"\"c\" 'd''e'"),
        ("format('%1$s', 'a')", None),
        ("format('%s', a)", None),
        ("'a' || b", None),
        ("concat('a')", None),
    ],
)
def test_constant_commands(expression: str, text: str | None) -> None:
    assert branches.text_of(parse(expression, is_expression=True), {}) == text


def test_search_path_settings() -> None:
    def path(text: str, *, is_expression: bool = False) -> tuple[bool, tuple[str, ...] | None]:
        parsed = parse(text, is_expression=is_expression)
        return parsed.sets_path, parsed.path

    assert path('set local search_path = public, "A b"') == (True, ("public", "A b"))
    assert path("set search_path to ''") == (True, ())
    assert path("set search_path to default") == (True, None)
    assert path("reset search_path") == (True, None)
    assert path("select set_config('search_path', 'a, \"B\"', true)") == (True, ("a", "B"))
    assert path("set_config('search_path', x, true)", is_expression=True) == (True, None)
    assert path("select set_config('role', 'x', true)") == (False, None)
    assert path("set role x") == (False, None)


def test_names_follow_plpgsql() -> None:
    text, row = Variable("v", Nature.SCALAR, 25), Variable("r", Nature.COMPOSITE, 1)
    hidden = Variable("v", Nature.SCALAR, 23)
    frames = (Frame("inner", {"v": hidden}), Frame("f", {"v": text, "r": row}))
    assert lookup(frames, ("v",)) == (hidden, 1)
    assert lookup(frames, ("f", "v")) == (text, 2)
    assert lookup(frames, ("inner", "v")) == (hidden, 2)
    assert lookup(frames, ("r", "x")) == (row, 1)
    assert lookup(frames, ("f", "r", "x")) == (row, 2)
    assert lookup(frames, ("v", "x")) is None
    assert lookup(frames, ("f", "nope")) is None
    assert lookup(frames, ("nope",)) is None


def test_records_where_branches_meet() -> None:
    one, other = Fields((("a", 25),)), Fields((("a", 23),))
    assert join([one, one]) == one
    assert join([one, other]) is Lack.UNKNOWN
    assert join([one, Lack.UNKNOWN]) is Lack.UNKNOWN
    assert join([one, Lack.PENDING, Lack.UNKNOWN]) is Lack.PENDING


@pytest.mark.parametrize("text", ["select from from", "select 'x", "select (1", "a b c"])
def test_what_the_grammar_refuses(text: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse(text, is_expression=False)
    assert refusal.value.refused


_names = st.sampled_from(["a", "B", "new", '"Q""x"', "é", "x1", "own_variable"])
_items = st.lists(
    st.one_of(_names, st.builds("{}.{}".format, _names, _names), st.just("'new.a'"), st.just("1 /* a */"))
)


@given(items=_items, spaces=st.sampled_from([" ", "\n  ", " -- a new.b\n"]))
def test_every_place_is_found_again(items: list[str], spaces: str) -> None:
    """Each character of the new text maps to the same character of the body, or to the reference that it stands for."""
    if not items:
        return
    body = f"x := é {spaces.join(['', *(item + ',' for item in items)])[:-1]}"
    start = 6
    text = body[start:]
    parsed: Parsed = parse(text, is_expression=True)
    frame = Frame("f", {"a": Variable("a", Nature.SCALAR, 25), "new": Variable("new", Nature.COMPOSITE, 16)})
    rewriter = Rewriter((frame,), {}, ())
    rewriter.fragment(text, start, parsed.references)
    covered = start
    for position, character in enumerate(rewriter.text.text):
        piece = rewriter.text.piece_at(position)
        assert piece is not None
        assert piece.span is not None
        if piece.copied:
            assert body[piece.span.start + position - piece.at] == character
        else:
            assert body[piece.span.start : piece.span.end].split(".")[0].strip() in ("a", "new")
    for piece in rewriter.text.pieces:
        assert piece.span is not None
        assert piece.span.start == covered
        covered = piece.span.end
    assert covered == len(body)
