"""The splitter against its own promises and against PostgreSQL's grammar."""

from __future__ import annotations

import time
from typing import Any

import pgparse
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigger_audit.sandbox.splitter import Kind, Piece, split, tokens

_STATEMENTS = (
    "select 1",
    "SELECT 'a;b', 'it''s;', \"odd;name\" FROM t WHERE (x = ';')",
    r"select E'a\';b', E'\\', e'\'';",
    "select $$;$$, $tag$ ; $$ ; $tag$, $1",
    "select 'Grüße; 漢字', \"naïve;\"",
    "/* a; /* nested; */ b; */ select 1",
    "-- a; comment ' with a quote\nselect 2",
    "create function f() returns trigger language plpgsql as $$ begin if true then return new; end if; end $$",
    "create function public.g(a int) returns int language sql begin atomic select case a when 1 then 2 else 3 end; "
    "select case when true then case a when 1 then 2 end end; end",
    "create rule r as on insert to t do also (insert into u values (1); insert into u values (2))",
    "do $do$ begin perform 'x;' || $q$;$q$; end $do$",
    "insert into t (a) values ('multi\nline;\nstring')",
    "begin",
    "commit",
    "create table t (a int default 1, check (a > 0 and a <> ';'::text::int))",
    "select a$b, c from t$x where a is not null",
    "select U&'d\\0061t;a', B'101', x'1f'",
    "select 1.5e10, .5, 1::int, a[1:2], a->>'x;y'",
)
_BETWEEN = (";", " ;\n", ";\n\n-- next; one\n", ";/* ; */", ";\r\n", ";;")


@st.composite
def scripts(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(_STATEMENTS), max_size=6))
    return "".join(statement + draw(st.sampled_from(_BETWEEN)) for statement in chosen)


def _statements(text: str) -> list[Piece]:
    return [piece for piece in split(text) if piece.kind is Kind.STATEMENT and piece.statement]


def _parsed(text: str) -> list[str]:
    """The statements as PostgreSQL's own grammar cuts them; its places count bytes."""
    answer: Any = pgparse.parse(text)
    raw = text.encode()
    found = []
    for statement in answer:
        start = statement.get("stmt_location", 0)
        length = statement.get("stmt_len", len(raw) - start)
        found.append(raw[start : start + length].decode())
    return found


def _bare(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@settings(deadline=None)
@given(scripts())
def test_agrees_with_the_grammar(text: str) -> None:
    # A statement's surrounding comments may be counted to it or not; its tokens may not.
    assert [_bare(piece.statement) for piece in _statements(text)] == [
        _bare(part.rstrip().removesuffix(";")) for part in _parsed(text)
    ]


@settings(deadline=None)
@given(scripts())
def test_pieces_joined_are_the_script(text: str) -> None:
    _check_whole(text)


@settings(deadline=None)
@given(st.text(alphabet="'\"$a;\\(/*-)\n\t E.ébegin atomic", max_size=60))
def test_never_fails_and_loses_nothing(text: str) -> None:
    _check_whole(text)


@settings(deadline=None)
@given(st.text(alphabet="'\"$a;\\\\(/*-)\n\t E.é0x:g", max_size=60))
def test_ends_are_the_same_with_and_without_bodies_in_sight(text: str) -> None:
    """CREATE is read token by token, for BEGIN ATOMIC may come, the rest in longer strides."""
    assert split("insert " + text)[0].text[7:] == split("create " + text)[0].text[7:]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_kept(text: str) -> None:
    _check_whole(text)


def _check_whole(text: str) -> None:
    pieces = split(text)
    assert "".join(piece.text for piece in pieces) == text
    for piece in pieces:
        assert text[piece.offset : piece.offset + len(piece.text)] == piece.text
        assert piece.line == 1 + text.count("\n", 0, piece.start)


def test_body_in_sql_standard_form_is_one_statement() -> None:
    text = _STATEMENTS[8] + ";\nselect 1;"
    assert [piece.line for piece in _statements(text)] == [1, 2]


def test_psql_commands_and_copy_data_stand_apart() -> None:
    text = "\\restrict x;y\ncopy a (b) from stdin with (format text);\n1;\t'\n\\\\.\n\\.\n\\echo done\nselect 1"
    pieces = split(text)
    assert [(piece.kind, piece.line) for piece in pieces] == [
        (Kind.PSQL_COMMAND, 1),
        (Kind.STATEMENT, 2),
        (Kind.COPY_DATA, 3),
        (Kind.PSQL_COMMAND, 6),
        (Kind.STATEMENT, 7),
    ]
    assert pieces[2].text[pieces[2].lead :] == "1;\t'\n\\\\.\n\\.\n"


@pytest.mark.parametrize("command", ["\\gset", "\\gexec", "\\g out.txt", "\\gx", "\\watch 1", "\\crosstabview"])
def test_a_command_that_sends_ends_the_statement(command: str) -> None:
    for statement in ("select 1 as a, E'\\\\g'", "create table t (a int)"):
        pieces = split(f"{statement} {command}\nselect 2;")
        assert [(piece.kind, piece.statement) for piece in pieces] == [
            (Kind.STATEMENT, statement),
            (Kind.PSQL_COMMAND, command),
            (Kind.STATEMENT, "select 2"),
        ]


def test_variables_of_psql_are_of_the_statement() -> None:
    text = "insert into t values (:'a;b', :\"c;d\", :e, :{?f});"
    assert [piece.text for piece in split(text)] == [text]


@pytest.mark.parametrize(
    "text", ["select 'open; select 2;", "select $a$; select 2;", 'select "x; y;', "/* never; closed"]
)
def test_what_is_never_closed_reaches_to_the_end(text: str) -> None:
    assert [piece.text for piece in split(text)] == [text]


def test_a_long_string_is_read_in_one_go() -> None:
    text = "select '" + "it''s; " * 200_000 + "'; select 2;"
    assert len(_statements(text)) == 2


def test_many_rows_of_a_dump() -> None:
    """Twenty megabytes in two seconds on a machine of its own; the limit is for one that does other things too."""
    row = "insert into public.t (id, name, data) values (1, 'name; it''s', '{\"a\": [1, 2]}');\n"
    rows = (4 << 20) // len(row)
    began = time.monotonic()
    assert len(split(row * rows)) == rows + 1
    assert time.monotonic() - began < 10
