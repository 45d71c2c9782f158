"""PostgreSQL itself: which bodies it refuses, and on which line it says that a statement failed."""

from __future__ import annotations

import re

import psycopg
import pytest
from psycopg import sql

from tests.plpgsql.shapes import line_of
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.conditions import CONDITIONS
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.tree import Body, SyntaxProblem

_AROUND = """declare c cursor for select 1; p cursor (k int) for select k; q refcursor; v int; s text; r record;
  b boolean; a int[];
begin
{}
return null; end"""

_WRONG = (
    "(select 1);",
    "raise notice;",
    "raise exception;",
    "raise sqlstate '1234';",
    "raise notice U&'x';",
    "raise notice 'a' 'b';",
    "raise notice '%';",
    "raise notice 'x', 1;",
    "raise notice 'x' using colour = 'red';",
    "fetch next c into v;",
    "fetch forward c into v;",
    "fetch all c into v;",
    "fetch absolute from c into v;",
    "fetch from from c into v;",
    "fetch c;",
    "move c into v;",
    "open q scroll;",
    "table v;",
    "exit;",
    "continue;",
    "<<l>> begin continue l; end;",
    "loop continue nowhere; end loop;",
    "null := 1;",
    "end := 1;",
    "for in 1..2 loop end loop;",
    "get diagnostics v = message_text;",
    "get stacked diagnostics v = row_count;",
    "get diagnostics v = nothing;",
    "declare all int; begin end;",
    "declare x int; x text; begin end;",
    "declare x; begin end;",
    "declare x . int; begin end;",
    "declare x int collate; begin end;",
    "declare x int not default 1; begin end;",
    "declare x int, y int; begin end;",
    "declare x cursor (k int, k int) for select 1; begin end;",
    "begin exception end;",
    "begin exception when then end;",
    "begin exception when sqlstate 'P00' then end;",
    "begin end l;",
    "<<l>> begin end m;",
    "<<l>> v := 1;",
    "begin end",
    "if b then end;",
    "if then end if;",
    "if b end if;",
    "if b then else elsif b then end if;",
    "if case when b then true end then end if;",
    "case v end case;",
    "case when b then end;",
    "loop end;",
    "while loop end loop;",
    "for v in reverse select 1 loop end loop;",
    "for v, s in 1..2 loop end loop;",
    "foreach v in a loop end loop;",
    "foreach v slice b in array a loop end loop;",
    "v := (1;",
    "v := 1);",
    "v := (1];",
    "v[1;",
    "select 1 into v into s;",
    "select 1 into;",
    "execute;",
    "execute s into v into v;",
    "assert;",
    "commit work;",
    "v := 'x;",
    "/* v := 1;",
    "then;",
    ";",
)  # fmt: skip
_RIGHT = (
    "perform;",
    "raise notice 'a'\n'b %', 1;",
    "raise notice E'a\\tb %%' ;",
    "raise;",
    "raise unique_violation;",
    "fetch c into v;",
    "fetch next in c into v;",
    "fetch relative -1 from c into v;",
    "fetch absolute extract(day from now()) from c into v;",
    "move forward all from c;",
    "open q for select 1;",
    "open q no scroll for execute 'x' using 1;",
    "open q no for select 1;",
    "open p (k := 1);",
    "<<l>> begin exit l; end l;",
    "exit f;",
    "<<l>> declare x int; y alias for l.x; begin end;",
    "declare $1 int; begin end;",
    "declare type text; message int; begin type := 'x'; end;",
    "create rule u as on insert to t do also (delete from t; select 1);",
    "create function g() returns int begin atomic select case when true then 1 end; end;",
    "b := '1.1.1.1'::inet <<= '1.1.1.1'::inet;",
    "<<l>>-- here\nloop exit l; end loop l;",
    "for i in v..3 loop end loop;",
    "for i in 1..3 by 2 loop continue when i = 2; end loop;",
    "if b then elsif b then elseif b then end if;",
    "select into strict v, s 1, 'x';",
    "execute s using 1 into strict v;",
    "import foreign schema x from server y into z;",
    "v = 1; a[1] := 2; a[1:2] = '{1}'; r.x := 1;",
    "call p(); do $$ begin end $$;",
    "commit and no chain;",
    "get diagnostics v = row_count, s := pg_context;",
    "declare declare x int; declare y int; begin end;",
)


def _create(connection: psycopg.Connection, body: str) -> str | None:
    """The SQLSTATE with which PostgreSQL refuses a trigger function of this body."""
    statement = sql.SQL("CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS {}").format(
        sql.Literal(body)
    )
    try:
        # A savepoint inside the fixture's transaction: psycopg would commit an outermost one.
        connection.execute("SELECT 1")
        with connection.transaction():
            connection.execute(statement)
    except psycopg.Error as refusal:
        return refusal.sqlstate
    return None


@pytest.mark.parametrize("statement", _WRONG)
def test_what_postgresql_refuses_is_refused(connection: psycopg.Connection, statement: str) -> None:
    body = _AROUND.format(statement)
    assert _create(connection, body) == "42601"
    try:
        parsed = parse_body(body)
    except SyntaxProblem:
        return
    pytest.fail(f"accepted: {parsed.block.body}")


@pytest.mark.parametrize("statement", _RIGHT)
def test_what_postgresql_takes_is_taken(connection: psycopg.Connection, statement: str) -> None:
    body = _AROUND.format(statement)
    assert _create(connection, body) is None
    parse_body(body)


def test_an_empty_assignment_is_refused_though_postgresql_finds_out_when_it_runs(
    connection: psycopg.Connection,
) -> None:
    body = "declare v int; begin v := ; return null; end"
    assert _create(connection, body) is None
    connection.execute("CREATE TEMP TABLE t (x int)")
    connection.execute("CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
    with pytest.raises(psycopg.errors.SyntaxError):
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(SyntaxProblem, match="missing expression"):
        parse_body(body)


_FAILING = {
    "first line": "begin perform 1/0; return new; end",
    "empty first line": "\nbegin\n  perform 1/0;\n  return new;\nend",
    "windows lines": "\r\nbegin\r\n\r\n  perform 1/0;\r\n  return new;\r\nend",
    "old line ends": "\rbegin\r  perform 1/0;\r\n  return new;\nend",
    "many lines": "\nbegin\n  perform 1\n  + 1\n  / 0;\n  return new;\nend",
    "assignment": "\ndeclare v int;\nbegin\n  v\n  :=\n  1/0;\n  return new;\nend",
    "select": "\ndeclare v int;\nbegin\n  select\n    1/0\n  into v;\n  return new;\nend",
    "condition": "\nbegin\n  if\n    1/0 = 1\n  then null; end if;\n  return new;\nend",
    "elsif": "\nbegin\n  if false then null;\n  elsif 1/0 = 1 then null;\n  end if;\n  return new;\nend",
    "return": "\nbegin\n\n  return\n    case when 1/0 = 1 then new end;\nend",
    "nested block": "\nbegin\n  begin\n    null;\n    perform 1/0;\n  end;\n  return new;\nend",
    "handler": "\nbegin\n  perform 1/0;\nexception when others then\n  perform 1/0;\n  return new;\nend",
    "loop": "\nbegin\n  <<l>>\n  for i in 1..1/0 loop null; end loop;\n  return new;\nend",
    "while": "\nbegin\n  <<l>>\n\n  while 1/0 = 1\n  loop null; end loop;\n  return new;\nend",
    "exit": "\nbegin\n  loop\n    exit\n      when 1/0 = 1;\n  end loop;\n  return new;\nend",
    "case": "\nbegin\n  case\n    when false then null;\n    when 1/0 = 1 then null;\n  end case;\n  return new;\nend",
    "execute": "\nbegin\n  execute\n  'select 1/0';\n  return new;\nend",
    "raise": "\nbegin\n  null; raise\n  'x %',\n  1/0;\n  return new;\nend",
    "comment": "\n/* a\nb */ begin -- c\n  perform /* d\n  */ 1/0;\n  return new;\nend",
}


def _failing(body: Body) -> tree.Statement:
    """The innermost, last statement with 1/0 in its text."""
    text = body.source.slice
    return [
        one for one in tree.walk(body.block) if "1/0" in text(one.span) or re.search(r"/ 0|\*/ 1/0", text(one.span))
    ][-1]


@pytest.mark.parametrize("text", _FAILING.values(), ids=_FAILING.keys())
def test_lines_are_those_of_the_error_context(connection: psycopg.Connection, text: str) -> None:
    assert _create(connection, text) is None
    connection.execute("CREATE TEMP TABLE t (x int)")
    connection.execute("CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("INSERT INTO t VALUES (1)")
    context = caught.value.diag.context or ""
    said = re.findall(r"PL/pgSQL function f\(\) line (\d+) at", context)
    body = parse_body(text)
    assert said == [str(line_of(body, _failing(body)))]


def test_the_line_of_a_default_is_its_declaration(connection: psycopg.Connection) -> None:
    text = "\ndeclare\n  a int := 1;\n  b\n    int := 1/0;\nbegin\n  return new;\nend"
    assert _create(connection, text) is None
    connection.execute("CREATE TEMP TABLE t (x int)")
    connection.execute("CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("INSERT INTO t VALUES (1)")
    body = parse_body(text)
    line = body.source.place(body.block.declarations[1].span.start)[0]
    assert f"line {line} during statement block local variable initialization" in (caught.value.diag.context or "")


def test_the_condition_names_are_the_servers(connection: psycopg.Connection) -> None:
    """Each name of the list compiles, but for what another version has; what is not in it does not."""
    unknown = []
    for name in (*CONDITIONS, "no_such_condition", "success"):
        try:
            with connection.transaction():
                connection.execute(f"DO $$ BEGIN IF false THEN RAISE {name}; END IF; END $$".encode())
        except psycopg.errors.UndefinedObject:
            unknown.append(name)
    assert unknown == ["snapshot_too_old", "no_such_condition", "success"]


@pytest.mark.parametrize(
    "body",
    [
        "begin null; exception when no_such then null; end",
        'begin null; exception when unique_violation or "Unique_violation" then null; end',
        "begin raise no_such; end",
        "begin raise others; end",
        "begin raise notice no_such using message = 'x'; end",
        'begin null; exception when "others" or "unique_violation" then null; end',
        "begin raise unique_violation using message = 'x'; exception when Unique_Violation then null; end",
    ],
)
def test_conditions_as_the_server_reads_them(connection: psycopg.Connection, body: str) -> None:
    refused = None
    try:
        with connection.transaction():
            connection.execute(f"CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE plpgsql AS $${body}$$".encode())
    except psycopg.Error as error:
        refused = (error.sqlstate, error.diag.message_primary)
    try:
        parse_body(body)
        ours = None
    except SyntaxProblem as problem:
        ours = (problem.sqlstate, problem.message)
    assert ours == refused
