"""What an ignore comment says, and what it covers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trigger_audit.analysis.bodies import read_body
from trigger_audit.catalog.model import Function
from trigger_audit.findings.model import Finding, Place
from trigger_audit.findings.suppression import IgnoreComment, Reach, comments_of, idle, suppressed

from .test_fingerprint import FINDING


def comments(body: str, language: str = "plpgsql") -> tuple[IgnoreComment, ...]:
    function = Function(
        oid=1, schema="public", proname="f", identity_arguments="", kind="f", language=language, source=body,
        atomic=False, arguments=(), defaults=0, returns=2279, returns_set=False, returns_trigger=True, owner="postgres",
        security_definer=True, settings=(), volatility="v", strict=False,
    )  # fmt: skip
    return tuple(comments_of(read_body(function)))


def comment(body: str, language: str = "plpgsql") -> IgnoreComment:
    [found] = comments(body, language)
    return found


def at(line: int, column: int = 3, end_line: int | None = None, end_column: int = 20, rule: str = "TA301") -> Finding:
    place = Place("public.f()", line, column, end_line or line, end_column, "x", "x")
    return replace(FINDING, rule=rule, place=place)


def silenced_lines(body: str, language: str = "plpgsql") -> list[int]:
    """The lines on which a TA301 that begins with the line's first character is silenced."""
    said = comments(body, language)
    lines = body.split("\n")
    starts = [at(number, len(line) - len(line.lstrip()) + 1) for number, line in enumerate(lines, start=1)]
    return [one.place.line for one in suppressed(starts, said) if one.suppressed is not None and one.place is not None]


@pytest.mark.parametrize(
    ("text", "codes", "reason"),
    [
        ("-- trigger-audit: ignore TA301 on purpose", ("TA301",), "on purpose"),
        ("--trigger-audit:ignore TA301,TA108 it's so", ("TA301", "TA108"), "it's so"),
        ("--- Trigger-Audit : IGNORE ta301 , TA108, reason", ("TA301", "TA108"), "reason"),
        ("-- trigger-audit: ignore: TA301 -- the reason.", ("TA301",), "the reason."),
        ("-- trigger-audit: ignore TA301 \N{EM DASH} (see #7)", ("TA301",), "(see #7)"),
        ("-- trigger-audit: ignore TA301, TA301 twice", ("TA301",), "twice"),
        ("-- trigger-audit: ignore TA301 as TA302 says it", ("TA301",), "as TA302 says it"),
        ("/* trigger-audit: ignore TA301 on purpose */", ("TA301",), "on purpose"),
        ("/**\n * trigger-audit: ignore\n   TA301 on\n purpose */", ("TA301",), "on purpose"),
        ("/* trigger-audit: ignore TA301 /* nested */ text */", ("TA301",), "/* nested */ text"),
        ("-- trigger-audit: ignore TA301", ("TA301",), ""),
        ("-- trigger-audit: ignore TA301 ...", ("TA301",), ""),
        ("-- trigger-audit: ignore TA301 TA302", ("TA301",), ""),
        ("-- trigger-audit: ignore", (), ""),
        ("-- trigger-audit: ignore everything", (), ""),
        ("-- trigger-audit: ignore TA3x", (), ""),
        ("-- trigger-audit: disable TA301 on purpose", ("TA301",), "on purpose"),
    ],
)
def test_what_it_says(text: str, codes: tuple[str, ...], reason: str) -> None:
    found = comment(f"begin\n  {text}\n  return new;\nend")
    assert (found.codes, found.reason) == (codes, reason)
    assert found.place.statement == text
    is_good = bool(reason) and "ignore" in text.lower()
    assert found.silences == (codes if is_good else ())


@pytest.mark.parametrize(
    "text",
    [
        "perform '-- trigger-audit: ignore TA301 in a literal';",
        "perform 'x\n -- trigger-audit: ignore TA301 in a literal\n';",
        "execute $q$ -- trigger-audit: ignore TA301 in a command\n select 1 $q$;",
        'perform 1 as "-- trigger-audit: ignore TA301 in a name";',
        "-- trigger-audit: a prose of ours",
        "-- see trigger-audit: ignore TA301 is not its beginning",
        "-- trigger-audit ignore TA301 has no colon",
    ],
)
def test_what_is_none(text: str) -> None:
    assert comments(f"begin\n  {text}\n  return new;\nend") == ()


def test_a_comment_in_a_literal_of_a_comment_is_one() -> None:
    assert comment("begin\n  -- it's\n  -- trigger-audit: ignore TA301 isn't\n  return new;\nend").reason == "isn't"


BODY = """
declare
  v text;
begin
  if new.email is null then
    insert into a values (1);
    insert into b
      values (2);
  elsif v = 'x' then
    delete from c;
  end if;
  begin
    update d set e = 1;
  exception
    when others then
      null;
  end;
  return new;
end;
"""


def with_line(before: str, text: str = "-- trigger-audit: ignore TA301 on purpose") -> str:
    """The body with a line of its own before the line that begins so."""
    lines = BODY.split("\n")
    number = next(number for number, line in enumerate(lines) if line.strip().startswith(before))
    return "\n".join([*lines[:number], f"    {text}", *lines[number:]])


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("declare", range(1, 22)),
        ("v text", range(1, 22)),
        ("begin", range(1, 22)),
        ("if new", range(6, 13)),
        ("insert into a", range(7, 8)),
        ("insert into b", range(8, 10)),
        ("values (2)", range(7, 10)),  # inside a statement: that statement
        ("elsif", range(10, 12)),
        ("delete", range(11, 12)),
        ("end if", range(13, 19)),
        ("update", range(14, 15)),
        ("when others", range(16, 18)),
        ("null", range(17, 18)),
        ("return", range(19, 20)),
    ],
)
def test_on_a_line_of_its_own_it_covers_what_comes_next(before: str, lines: range) -> None:
    assert silenced_lines(with_line(before)) == list(lines)


def test_a_nested_declaration_is_a_statement_of_its_own() -> None:
    body = (
        "begin\n  declare\n    -- trigger-audit: ignore TA301 on purpose\n    v text := 'x';\n    w text;\n"
        "  begin\n    null;\n  end;\n  return new;\nend"
    )
    assert silenced_lines(body) == [4]


def test_behind_the_last_statement_it_covers_nothing() -> None:
    body = "begin\n  return new;\n  -- trigger-audit: ignore TA301 on purpose\nend"
    assert comment(body).scope.reach is Reach.NOTHING
    assert silenced_lines(body) == []


def test_the_block_of_the_function_is_no_next_statement() -> None:
    assert comment("<<f>>\n-- trigger-audit: ignore TA301 x\nbegin\n  return new;\nend f").scope.reach is Reach.FUNCTION
    late = comment("begin -- x\n-- trigger-audit: ignore TA301 x\n  return new;\nend")
    assert (late.scope.reach, late.scope.start) == (Reach.STATEMENT, (3, 3))


def test_a_name_that_begins_in_a_declaration_is_not_the_first_begin() -> None:
    body = "declare\n  a int := (select t.\"begin\" from t);\n  b text := 'begin';\n{}\nbegin\n  return new;\nend"
    assert comment(body.format("-- trigger-audit: ignore TA301 x")).scope.reach is Reach.FUNCTION


@pytest.mark.parametrize(
    ("line", "end_line", "end_column", "covered"),
    [(3, 3, 9, True), (2, 3, 9, True), (3, 5, 9, True), (2, 4, 9, False), (2, 4, 1, True), (2, 2, 9, False)],
)
def test_at_the_end_of_a_line_it_covers_what_begins_or_ends_there(
    line: int, end_line: int, end_column: int, covered: bool
) -> None:
    body = "begin\n  null;\n  null; -- trigger-audit: ignore TA301 on purpose\n  null;\n  return new;\nend"
    [found] = suppressed([at(line, 3, end_line, end_column)], comments(body))
    assert found.suppressed == ("on purpose" if covered else None)


def test_a_comment_behind_another_one_stands_alone_still() -> None:
    body = "begin\n  /* a\n b */ -- trigger-audit: ignore TA301 on purpose\n  null;\n  return new;\nend"
    assert silenced_lines(body) == [4]


def test_line_ends_of_windows_change_nothing() -> None:
    for before in ("v text", "insert into b", "return"):
        assert silenced_lines(with_line(before).replace("\n", "\r\n")) == silenced_lines(with_line(before))


def test_sql_functions() -> None:
    line = "-- trigger-audit: ignore TA301 on purpose"
    assert silenced_lines(f"\n{line}\ninsert into a values (1);\nselect 1", "sql") == [1, 2, 3, 4]
    assert silenced_lines(f"insert into a values (1);\n{line}\ninsert into b\n values (1);\nselect 1", "sql") == [3, 4]
    assert silenced_lines(f"insert into a values (1); {line}\nselect 1", "sql") == [1]


def test_other_languages_have_no_comments_that_are_known() -> None:
    assert comments("-- trigger-audit: ignore TA301 on purpose", "plpython3u") == ()


def test_a_body_that_cannot_be_read_is_covered_as_a_whole_or_by_line() -> None:
    line = "-- trigger-audit: ignore TA001 an example"
    whole = comment(f"{line}\nbegin\n  nul\nend")
    assert (whole.scope.reach, whole.is_read) == (Reach.FUNCTION, False)
    assert comment(f"begin\n  nul {line}\nend").scope.reach is Reach.LINE
    assert comments(f"begin\n  perform 'x; {line}\nend") == ()


def test_only_its_own_function_and_its_own_rules() -> None:
    said = comments("-- trigger-audit: ignore TA301 on purpose\nbegin\n  return new;\nend")
    own = at(3)
    assert own.place is not None
    elsewhere = replace(own, place=replace(own.place, function="public.g()"))
    bare = replace(own, place=None, object="public.f()")
    trigger = replace(own, place=None, object="auth.users.t")
    found = suppressed([own, at(3, rule="TA302"), elsewhere, bare, trigger], said)
    assert [one.suppressed for one in found] == ["on purpose", None, None, "on purpose", None]
    assert [replace(one, suppressed=None) for one in found] == [own, at(3, rule="TA302"), elsewhere, bare, trigger]


def test_the_rule_about_comments_is_not_silenced_by_one() -> None:
    said = comments("-- trigger-audit: ignore TA004, TA301 on purpose\nbegin\n  return new;\nend")
    assert [one.suppressed for one in suppressed([at(1, rule="TA004"), at(3)], said)] == [None, "on purpose"]
    assert [code for _, code in idle(said, [at(1, rule="TA004")])] == ["TA301"]


def test_the_narrower_comment_silences_and_the_wider_is_idle() -> None:
    body = (
        "-- trigger-audit: ignore TA301 function\nbegin\n  -- trigger-audit: ignore TA301 outer\n  if true then\n"
        "    -- trigger-audit: ignore TA301 inner\n    null; -- trigger-audit: ignore TA301 line\n    null;\n"
        "  end if;\n  return new;\nend"
    )
    said = comments(body)
    reasons = {line: one.suppressed for line in (6, 7, 9) for one in suppressed([at(line, 5)], said)}
    assert reasons == {6: "line", 7: "outer", 9: "function"}
    assert [one.reason for one, _ in idle(said, [at(6, 5), at(7, 5)])] == ["function", "inner"]
    assert idle(said, []) == tuple((one, "TA301") for one in said)
