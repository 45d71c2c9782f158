"""Statements against what was written into them, and against PostgreSQL's own grammar."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pgparse
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_audit.analysis.model import Assignment, SqlFacts, Write
from trigger_audit.analysis.statements import read_expression, read_statement
from trigger_audit.plpgsql.tree import Fragment, Span

# The fragment stands somewhere in a body: every place is counted from there.
OFFSET = 37


def read(text: str, *, expression: bool = False) -> SqlFacts:
    fragment = Fragment(text, Span(OFFSET, OFFSET + len(text)))
    return read_expression(fragment) if expression else read_statement(fragment)


def cut(text: str, span: Span) -> str:
    return text[span.start - OFFSET : span.end - OFFSET]


def only_write(text: str) -> Write:
    (write,) = read(text).writes
    return write


def values(row: tuple[Assignment, ...]) -> list[tuple[str, str | None]]:
    return [
        (entry.column, "DEFAULT" if entry.is_default else entry.value.text if entry.value else None) for entry in row
    ]


# -- generated statements


@dataclass(frozen=True)
class Name:
    """A name as written and as PostgreSQL reads it."""

    text: str
    read: str


PLAIN = st.sampled_from(["id", "Email", "full_name", "créé", "a1", "updated_at"]).map(
    lambda text: Name(text, "".join(c.lower() if c.isascii() else c for c in text))
)
QUOTED = st.text(st.sampled_from('aZé"., ()\n\u202e-'), min_size=1, max_size=6).map(
    lambda text: Name('"' + text.replace('"', '""') + '"', text)
)
NAMES = st.one_of(PLAIN, QUOTED)
LEAVES = st.sampled_from(
    [
        "1", "'it''s, é)'", "new.email", "NULL", "$q$ ), ( $q$", "E'a\\'b,'", "now()", 'new."Odd, name"', "array[1, 2]",
        "new.raw_user_meta_data ->> 'full name'", "(SELECT max(x) FROM public.s WHERE a = 1)", "'{}'::jsonb",
        "a /* , ) WHERE */ + 1", "true -- , )\n", "m['k, ]']", "interval '1 day'", "extract(year from now())",
    ]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"coalesce({pair[0]}, {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} || {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"(({pair[0]}) IS DISTINCT FROM ({pair[1]}))"),
        st.tuples(inner, inner).map(lambda pair: f"CASE WHEN ({pair[0]}) IS NULL THEN {pair[1]} ELSE NULL END"),
        inner.map(lambda one: f"CAST({one} AS text)"),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=4,
)
TABLES = st.tuples(st.none() | NAMES, NAMES)
SPACE = st.sampled_from([" ", "\n  ", " /* set, where (*/ ", " -- from x\n"])
ALIASES = st.sampled_from(["", " AS q", ' AS "Set"'])


def unique(names: list[Name]) -> list[Name]:
    return list({name.read: name for name in names}.values())


COLUMNS = st.lists(NAMES, min_size=1, max_size=4).map(unique)


@dataclass(frozen=True)
class Made:
    """A statement with what must be found in it."""

    text: str
    kind: str
    table: tuple[str | None, str]
    table_text: str
    columns: list[Name]
    rows: list[list[str]]
    where: str | None
    conflict: list[tuple[str, str]] | None


@st.composite
def statements(draw: st.DrawFn) -> Made:
    schema, relation = draw(TABLES)
    table = relation.text if schema is None else f"{schema.text}.{relation.text}"
    gap = draw(SPACE)
    kind = draw(st.sampled_from(["INSERT", "SELECT", "UPDATE", "DELETE"]))
    columns = draw(COLUMNS)
    where: str | None = None
    conflict: list[tuple[str, str]] | None = None
    tail = draw(st.sampled_from(["", " RETURNING id", " RETURNING id, a AS b", " ;"]))
    rows: list[list[str]] = []
    if kind in ("INSERT", "SELECT"):
        count = draw(st.integers(1, 3)) if kind == "INSERT" else 1
        rows = [[draw(VALUES) for _ in columns] for _ in range(count)]
        listed = ",".join(column.text for column in columns)
        text = f"INSERT INTO {table}{draw(ALIASES)} ({listed}){gap}"
        if kind == "INSERT":
            text += "VALUES " + f",{gap}".join("(" + "\n, ".join(row) + "\n)" for row in rows)
        else:
            named = [value + "\n" + draw(st.sampled_from(["", " AS x", " x"])) for value in rows[0]]
            text += f"SELECT {gap} {', '.join(named)} FROM public.src AS s WHERE s.a IS DISTINCT FROM 1"
        if draw(st.booleans()):
            value = draw(VALUES)
            conflict = [(columns[0].read, value)]
            text += f"{gap}ON CONFLICT ({columns[0].text}) DO UPDATE SET {columns[0].text} = {value}\n"
    elif kind == "UPDATE":
        rows = [[draw(VALUES) for _ in columns]]
        pairs = [f"{column.text} = {value}\n" for column, value in zip(columns, rows[0], strict=True)]
        text = f"UPDATE {table}{draw(ALIASES)} SET{gap}{', '.join(pairs)}"
        text += draw(st.sampled_from(["", " FROM public.src s JOIN t ON true "]))
    else:
        columns = []
        text = f"DELETE FROM {table}{draw(ALIASES)}{draw(st.sampled_from(['', ' USING public.src']))}"
    if kind in ("UPDATE", "DELETE") and draw(st.booleans()):
        where = draw(VALUES)
        text += f"{gap}WHERE {where}\n"
    kind = "INSERT" if kind == "SELECT" else kind
    read_as = (schema.read if schema else None, relation.read)
    return Made(text + tail, kind, read_as, table, columns, rows, where, conflict)


def without_places(node: object) -> object:
    if isinstance(node, dict):
        return {key: without_places(value) for key, value in node.items() if key != "location"}
    if isinstance(node, list):
        return [without_places(entry) for entry in node]
    return node


def meaning(expression: str) -> object:
    """What PostgreSQL's grammar makes of an expression."""
    return without_places(pgparse.parse("SELECT " + expression)[0]["stmt"]["SelectStmt"]["targetList"])


def unquoted(text: str) -> str:
    if text.startswith('"'):
        return text[1:-1].replace('""', '"')
    return "".join(c.lower() if c.isascii() else c for c in text)


@given(statements())
def test_generated_statements_are_read_as_written(made: Made) -> None:
    facts = read(made.text)
    (write,) = facts.writes
    assert (write.kind, (write.target.schema, write.target.name)) == (made.kind, made.table)
    assert cut(made.text, write.span).startswith(made.kind)
    assert made.text[: write.span.start - OFFSET].strip() == ""
    assert cut(made.text, write.target.span) == made.table_text
    assert len(write.rows) == len(made.rows)
    for row, written in zip(write.rows, made.rows, strict=True):
        assert [entry.column for entry in row] == [column.read for column in made.columns]
        for entry, column, value in zip(row, made.columns, written, strict=True):
            assert cut(made.text, entry.column_span) == column.text
            assert entry.value is not None
            assert cut(made.text, entry.value.span) == entry.value.text
            assert meaning(entry.value.text) == meaning(value)
    assert (write.where is None) == (made.where is None)
    if made.where is not None and write.where is not None:
        assert cut(made.text, write.where.span) == write.where.text
        assert meaning(write.where.text) == meaning(made.where)
    assert (write.conflict is None) == (made.conflict is None)
    if made.conflict is not None and write.conflict is not None:
        ((target, given_value),) = made.conflict
        assert write.conflict.columns == (target,)
        (set_column,) = write.conflict.assignments
        assert set_column.value is not None
        assert (set_column.column, meaning(set_column.value.text)) == (target, meaning(given_value))
    for relation in facts.reads:
        assert unquoted(cut(made.text, relation.span).split(".")[-1]) == relation.name
    for call in facts.calls:
        assert cut(made.text, call.span) == call.name


@given(VALUES)
def test_generated_expressions_are_read_with_their_calls(text: str) -> None:
    facts = read(text, expression=True)
    assert facts.problem is None
    assert facts.node is not None
    assert [cut(text, call.span) for call in facts.calls] == [call.name for call in facts.calls]
    assert text.count("now()") <= len(facts.calls)


# -- single shapes


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


# -- what cannot be read


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


def test_a_megabyte_takes_seconds() -> None:
    text = "INSERT INTO t VALUES " + ",".join(f"({number}, 'abc{number}', new.x)" for number in range(40_000))
    begin = time.process_time()
    facts = read(text)
    assert facts.problem is None
    assert len(facts.writes[0].rows) == 40_000
    assert time.process_time() - begin < 20
