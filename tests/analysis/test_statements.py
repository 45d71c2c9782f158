"""What statements write, call and name, by example."""

from __future__ import annotations

import pytest

from tests.analysis.reading import cut, only_write, read, values


def test_insert_in_full() -> None:
    text = (
        "WITH x AS (SELECT 1) INSERT INTO public.t AS q (id, a[1], b.c, d) OVERRIDING USER VALUE "
        "VALUES (new.id, 'é', 2, DEFAULT) ON CONFLICT (id, lower(x)) WHERE a > 1 "
        "DO UPDATE SET (a, b) = (1, excluded.b), c = 3 WHERE t.a IS NULL RETURNING id"
    )
    write = only_write(text)
    assert write.columns == ("id", "a", "b", "d")
    # An element or a field of a column is not the column's value.
    assert [values(row) for row in write.rows] == [[("id", "new.id"), ("a", None), ("b", None), ("d", "DEFAULT")]]
    assert write.returning
    assert not write.in_with
    assert write.target.alias == "q"
    conflict = write.conflict
    assert conflict is not None
    assert conflict.columns == ("id", None)
    assert conflict.predicate == "a > 1"
    assert not conflict.does_nothing
    assert values(conflict.assignments) == [("a", "1"), ("b", "excluded.b"), ("c", "3")]
    assert conflict.where is not None
    assert conflict.where.text == "t.a IS NULL"
    assert cut(text, conflict.span).startswith("ON CONFLICT")
    assert cut(text, conflict.span).endswith("IS NULL")


def test_conflict_targets() -> None:
    nothing = only_write("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING").conflict
    named = only_write('INSERT INTO t (a) VALUES (1) ON CONFLICT ON CONSTRAINT "T_key" DO NOTHING').conflict
    assert nothing is not None
    assert named is not None
    assert (nothing.columns, nothing.constraint, nothing.does_nothing) == ((), None, True)
    assert (named.columns, named.constraint, named.does_nothing) == ((), "T_key", True)


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("INSERT INTO t VALUES (1, f(a, b))", None, [[("#1", "1"), ("#2", "f(a, b)")]]),
        ("INSERT INTO t VALUES (new.*)", None, []),
        ("INSERT INTO t SELECT new.*", None, []),
        ("INSERT INTO t SELECT 1, 2 UNION SELECT 3, 4", None, []),
        ("INSERT INTO t (a, b, c) SELECT 1, s.* FROM s", ("a", "b", "c"), [[("a", "1"), ("b", None), ("c", None)]]),
        ("INSERT INTO t (a, b) SELECT 1, 2 UNION SELECT 3, 4", ("a", "b"), [[("a", None), ("b", None)]]),
        ("INSERT INTO t (a) (SELECT DISTINCT ON (x, y) (z) one FROM s)", ("a",), [[("a", "(z)")]]),
        ("INSERT INTO t (a, b) WITH s AS (SELECT 1, 2) SELECT x, y FROM s", ("a", "b"), [[("a", "x"), ("b", "y")]]),
        ("INSERT INTO t (a) VALUES (1), (2) ORDER BY 1, 1", ("a",), [[("a", "1")], [("a", "2")]]),
        ("INSERT INTO t DEFAULT VALUES", None, []),
        ("INSERT INTO t (a, b) VALUES (1)", ("a", "b"), [[("a", "1"), ("b", None)]]),
    ],
)
def test_insert_sources(text: str, columns: tuple[str, ...] | None, rows: list[list[tuple[str, str]]]) -> None:
    write = only_write(text)
    assert write.columns == columns
    assert [values(row) for row in write.rows] == rows


def test_update_lists() -> None:
    text = (
        "UPDATE ONLY \"Auth\".users u SET a = x IS DISTINCT FROM y, m['a'] = 1, (b, c) = (SELECT 1, 2 FROM zz), "
        "(d, e) = ROW(5, DEFAULT), f = DEFAULT FROM s WHERE u.id = new.id RETURNING id"
    )
    facts = read(text)
    (write,) = facts.writes
    assert values(write.rows[0]) == [
        ("a", "x IS DISTINCT FROM y"), ("m", None), ("b", None), ("c", None), ("d", "5"), ("e", "DEFAULT"),
        ("f", "DEFAULT"),
    ]  # fmt: skip
    assert cut(text, write.target.span) == '"Auth".users'
    assert (write.target.schema, write.target.name, write.target.alias) == ("Auth", "users", "u")
    assert [relation.name for relation in facts.reads] == ["zz", "s"]


def test_where_current_of_is_a_where() -> None:
    write = only_write("UPDATE t SET a = 1 WHERE CURRENT OF c")
    assert write.where is not None
    assert write.where.text == "CURRENT OF c"


def test_writes_inside_with_and_names_of_with_queries() -> None:
    text = (
        "WITH gone AS (DELETE FROM a WHERE x = 1 RETURNING *), log AS (INSERT INTO public.log SELECT * FROM gone) "
        "UPDATE gone SET x = 1 FROM gone AS g, public.gone AS h"
    )
    facts = read(text)
    assert [(write.kind, write.target.name, write.in_with) for write in facts.writes] == [
        ("DELETE", "a", True), ("INSERT", "log", True), ("UPDATE", "gone", False),
    ]  # fmt: skip
    assert cut(text, facts.writes[0].span) == "DELETE FROM a WHERE x = 1 RETURNING *"
    # The target of a write is never a WITH query; a FROM item of its name is.
    assert [(relation.schema, relation.name, relation.alias) for relation in facts.reads] == [("public", "gone", "h")]


def test_with_queries_see_earlier_ones_only_unless_recursive() -> None:
    plain = read("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a, b")
    recursive = read("WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a, b")
    assert [relation.name for relation in plain.reads] == ["b"]
    assert recursive.reads == ()


@pytest.mark.parametrize(
    ("text", "writes", "reads", "calls"),
    [
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", [("MERGE", "t")], ["s"], []),
        ("TRUNCATE a, public.b CASCADE", [("TRUNCATE", "a"), ("TRUNCATE", "b")], [], []),
        ("NOTIFY channel, 'x'", [], [], []),
        ("CALL foo.bar(1, f(2))", [], [], ["bar", "f"]),
        ("LOCK TABLE a IN SHARE MODE", [], ["a"], []),
        ("CREATE TEMP TABLE z ON COMMIT DROP AS SELECT * FROM src", [], ["src"], []),
        ("SELECT FROM a FOR UPDATE OF a", [], ["a"], []),
        ("SELECT EXISTS (SELECT 1 FROM b WHERE x IN (SELECT y FROM c))", [], ["b", "c"], []),
        ("SELECT coalesce(a, nullif(b, c)), trim(both from d), e::text, CASE WHEN f() THEN 1 END", [], [], ["f"]),
        (
            "SELECT * FROM generate_series(1, 2) AS g, LATERAL pg_catalog.lower('x')",
            [],
            [],
            ["generate_series", "lower"],
        ),
    ],
)
def test_what_other_statements_name(
    text: str, writes: list[tuple[str, str]], reads: list[str], calls: list[str]
) -> None:
    facts = read(text)
    assert facts.problem is None
    assert [(write.kind, write.target.name) for write in facts.writes] == writes
    assert [relation.name for relation in facts.reads] == reads
    assert [call.name for call in facts.calls] == calls


def test_calls_count_their_arguments_and_keep_their_schema() -> None:
    text = 'Extensions.Digest(new.email, \'x\') = "My Schema"."Fn"()'
    first, second = read(text, expression=True).calls
    assert (first.schema, first.name, first.arguments) == ("extensions", "digest", 2)
    assert (second.schema, second.name, second.arguments) == ("My Schema", "Fn", 0)
    assert (cut(text, first.span), cut(text, second.span)) == ("Extensions.Digest", '"My Schema"."Fn"')


def test_expressions_with_more_than_one_item_stay_selects() -> None:
    assert type(read("count(*) FROM public.t", expression=True).node).__name__ == "Select"
    assert type(read("1, 2", expression=True).node).__name__ == "Select"
    assert type(read("(new.email)", expression=True).node).__name__ == "Paren"
