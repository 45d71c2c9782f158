"""The line that PostgreSQL names for an error, against what is worked out from the body."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
import pytest

from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.model import BodyFacts
from trigger_audit.analysis.reported import ReportedPlaces, Spot
from trigger_audit.smoke.context import innermost_frame

FAULT = "1/(n-n)"
START = "declare n int := 1; r record;\nbegin\n"

BODIES = {
    "statement": START + "  perform 1;\n  insert into public.kept (a)\n  values (\n    1/(n-n));\nend",
    "if": START + "  if n = 2 then\n    null;\n  elsif\n    1/(n-n) = 1 then null;\n  end if;\nend",
    "in if": START + "  if n = 1 then\n    n :=\n      1/(n-n);\n  end if;\nend",
    "case": START + "  case n\n    when 3 then null;\n    when\n 1/(n-n) then null;\n  end case;\nend",
    "loop": START + "  <<outer>>\n  for i in 1 ..\n    1/(n-n)\n  loop null; end loop;\nend",
    "query": START + "  <<outer>>\n\n  for r in select\n    1/(n-n)\n  loop null; end loop;\nend",
    "exit": START + "  loop\n    exit\n      when 1/(n-n) = 1;\n  end loop;\nend",
    "return": START + "\n  return\n    1/(n-n);\nend",
    "execute": START + "  execute 'select $1'\n    using\n    1/(n-n);\nend",
    "raise": START + "  raise notice '%',\n    1/(n-n);\nend",
    "default": "declare\n  n int := 1;\n  m int :=\n    1/(n-n);\nbegin\n  null;\nend",
    "inner default": START + "  <<inner>>\n  declare\n\n  m int := 1/(n-n);\n  begin null; end;\nend",
    "handler": START + "  perform 'x'::int;\nexception when others then\n  n :=\n 1/(n-n);\nend",
    "one line": "declare n int := 1; begin n := 2; n := 1/(n-n); end",
}


@dataclass(frozen=True, slots=True)
class _Function:
    """What read_body and ReportedPlaces ask of the catalog's function."""

    language: str
    source: str
    name: str = "public.f()"
    arguments: tuple[tuple[str, str], ...] = ()


def facts_of(language: str, source: str) -> BodyFacts:
    return read_body(_Function(language, source))  # type: ignore[arg-type]


def place_of(source: str, text: str) -> tuple[int, int]:
    before = source[: source.index(text)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def context_of(connection: psycopg.Connection, language: str, source: str) -> str:
    connection.execute("create table public.kept (a int)")
    create = f"create function public.f() returns int language {language} as $body${source}$body$"
    connection.execute(create.encode())
    with pytest.raises(psycopg.errors.DivisionByZero) as failed:
        connection.execute("select public.f()")
    return failed.value.diag.context or ""


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_line_is_the_one_that_postgresql_names(body: str, connection: psycopg.Connection) -> None:
    frame = innermost_frame(context_of(connection, "plpgsql", body))
    assert frame is not None
    assert frame.line is not None
    places = ReportedPlaces([facts_of("plpgsql", body)])
    assert places.spot("public.f()", *place_of(body, FAULT)) == Spot(line=frame.line)


def test_statements_of_an_sql_function_are_counted(connection: psycopg.Connection) -> None:
    body = "\n select 1;\n\n -- two\n insert into public.kept (a) select 1/count(*)\n from public.kept;\n select 3\n"
    counted = re.match(r'SQL function "f" statement (\d+)', context_of(connection, "sql", body))
    assert counted is not None
    spot = ReportedPlaces([facts_of("sql", body)]).spot("public.f()", *place_of(body, "1/count"))
    assert spot == Spot(statement=int(counted[1])) == Spot(statement=2)


def test_the_end_of_a_function_has_no_line(connection: psycopg.Connection) -> None:
    body = "begin\n  null;\nend"
    connection.execute(f"create function public.f() returns int language plpgsql as $$ {body} $$".encode())
    with pytest.raises(psycopg.errors.FunctionExecutedNoReturnStatement) as failed:
        connection.execute("select public.f()")
    frame = innermost_frame(failed.value.diag.context)
    assert frame is not None
    assert frame.line is None
    assert ReportedPlaces([facts_of("plpgsql", body)]).spot("public.f()", *place_of(body, "end")) == Spot()


def test_a_body_that_is_not_known() -> None:
    places = ReportedPlaces([facts_of("c", "f")])
    assert places.spot("public.f()", 1, 1) is None
    assert places.hidden_by("public.f()", 1) == frozenset()


NESTED = """begin
  begin
    insert into a values (1);
  exception
    when unique_violation then null;
    when others then null;
  end;
  begin
    insert into b values (1);
  exception when unique_violation then null;
  end;
exception when others then
  null;
end"""


def test_the_handler_around_a_line_is_the_innermost_for_others() -> None:
    places = ReportedPlaces([facts_of("plpgsql", NESTED)])
    assert places.hidden_by("public.f()", 3) == {6}
    assert places.hidden_by("public.f()", 9) == {12}
    assert places.hidden_by("public.f()", 13) == frozenset()
