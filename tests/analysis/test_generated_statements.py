"""Generated statements against what was written into them, and against PostgreSQL's own grammar."""

from __future__ import annotations

from dataclasses import dataclass

import pgparse
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.reading import OFFSET, cut, read


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
