"""LANGUAGE sql bodies, split into their statements."""

from __future__ import annotations

import pytest

from trigger_audit.plpgsql.sql_body import parse_sql_body
from trigger_audit.plpgsql.tree import Sql, SyntaxProblem


def _statements(text: str) -> list[str]:
    body = parse_sql_body(text)
    found = []
    for statement in body.block.body:
        assert isinstance(statement, Sql)
        assert body.source.slice(statement.span) == statement.sql.text
        found.append(statement.sql.text)
    return found


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ; ;", []),
        ("select 1", ["select 1"]),
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';'; -- ; select\n select $$;$$", ["select ';'", "select $$;$$"]),
        ("insert into t select 1 returning x", ["insert into t select 1 returning x"]),
        ("begin atomic select 1; select case when a then 1 end; end", ["select 1", "select case when a then 1 end"]),
        ("BEGIN ATOMIC\n SELECT 1;\nEND", ["SELECT 1"]),
        (
            "create rule r as on insert to t do (delete from t; select 1); select 2",
            ["create rule r as on insert to t do (delete from t; select 1)", "select 2"],
        ),
    ],
)
def test_statements(text: str, statements: list[str]) -> None:
    assert _statements(text) == statements


@pytest.mark.parametrize(("text", "offset"), [("select 1)", 8), ("select (1; select 2", 9), ("select 'x", 7)])
def test_what_cannot_be_split(text: str, offset: int) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_sql_body(text)
    assert caught.value.offset == offset
