"""Which variables a place sees."""

from __future__ import annotations

from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.scopes import scopes, seen_at


def _types(text: str) -> dict[str, str]:
    """Names and types at the mark."""
    offset = text.index("/**/")
    return {name: variable.type_text for name, variable in seen_at(scopes(parse_body(text)), offset).items()}


def test_inner_declarations_hide_outer_ones() -> None:
    around = "declare a int; b text; begin {} declare a boolean; begin {} end; {} end"
    assert _types(around.format("/**/ null;", "", "")) == {"a": "int", "b": "text"}
    assert _types(around.format("", "/**/ null;", "")) == {"a": "boolean", "b": "text"}
    assert _types(around.format("", "", "/**/ null;")) == {"a": "int", "b": "text"}


def test_a_default_sees_what_was_declared_before_it() -> None:
    assert _types("declare a int; b int := a + /**/ 1; c int; begin end") == {"a": "int"}
    assert _types("declare a int; begin declare a text := a || /**/ 'x'; begin end; end") == {"a": "int"}


def test_loops_have_a_variable_of_their_own() -> None:
    text = "declare i text; begin for I in 1..{}i loop {} null; end loop; {} end"
    assert _types(text.format("/**/", "", "")) == {"i": "text"}
    assert _types(text.format("", "/**/", "")) == {"i": "integer"}
    assert _types(text.format("", "", "/**/ null;")) == {"i": "text"}


def test_a_cursor_loop_makes_its_record() -> None:
    text = "declare c cursor for select 1; r int; begin for R in c loop null {}; end loop; {} end"
    assert _types(text.format("/**/", "")) == {"c": "refcursor", "r": "record"}
    assert _types(text.format("", "/**/ null;")) == {"c": "refcursor", "r": "int"}


def test_a_query_loop_uses_the_variable_that_is_there() -> None:
    assert _types("declare r record; begin for r in select 1 loop /**/ null; end loop; end") == {"r": "record"}


def test_handlers_see_the_error() -> None:
    text = "begin {} perform 1; exception when others then {} null; end"
    assert _types(text.format("/**/", "")) == {}
    assert _types(text.format("", "/**/")) == {"sqlstate": "text", "sqlerrm": "text"}


def test_labels_and_quoted_names() -> None:
    text = '<<outside>> declare "A b" int; a$1 text; begin <<l>> for i in 1..2 loop /**/ null; end loop; end'
    seen = seen_at(scopes(parse_body(text)), text.index("/**/"))
    assert {name: variable.label for name, variable in seen.items()} == {"A b": "outside", "a$1": "outside", "i": "l"}
