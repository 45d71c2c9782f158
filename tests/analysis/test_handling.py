"""The ways through a handler, and which RAISE leaves a line in the server's log."""

from __future__ import annotations

import psycopg
import pytest

from trigger_audit.analysis.handling import LOGGED, UNEXPECTED, End, Way, escapes, ways_through
from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.sandbox.server import Sandbox


def handler_of(statements: str) -> tuple[tree.Statement, ...]:
    body = parse_body(f"begin perform 1; exception when others then {statements} end;")
    return body.block.handlers[0].body


def warns(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Raise) and statement.level in LOGGED


@pytest.mark.parametrize("level", ["debug", "info", "notice", "warning", "log"])
def test_the_levels_that_reach_the_log(level: str, sandbox: Sandbox) -> None:
    """Under the default of log_min_messages, which Supabase keeps."""
    word = f"level-{level}-in-the-log"
    before = sandbox.log.stat().st_size
    with psycopg.connect(sandbox.conninfo(), prepare_threshold=None) as connection:
        assert connection.execute("SHOW log_min_messages").fetchone() == ("warning",)
        connection.execute(f"DO $$ begin raise {level} '{word}'; end $$".encode())
    assert (word.encode() in sandbox.log.read_bytes()[before:]) is (level in LOGGED)


@pytest.mark.parametrize(
    ("statements", "ways"),
    [
        ("", {Way(End.FALLS, False)}),
        ("null;", {Way(End.FALLS, False)}),
        ("return new;", {Way(End.RETURNS, False)}),
        ("raise;", {Way(End.RAISES, False)}),
        ("raise warning 'x'; return new;", {Way(End.RETURNS, True)}),
        ("raise notice 'x'; return new;", {Way(End.RETURNS, False)}),
        ("raise log 'x'; raise exception 'y';", {Way(End.RAISES, True)}),
        ("return new; raise;", {Way(End.RETURNS, False)}),
        ("if a then raise warning 'x'; end if;", {Way(End.FALLS, True), Way(End.FALLS, False)}),
        ("if a then raise warning 'x'; else raise; end if;", {Way(End.FALLS, True), Way(End.RAISES, False)}),
        ("if sqlstate = '23505' then return new; end if; raise;", {Way(End.RAISES, False)}),
        ("if sqlstate <> '23505' then raise; end if;", {Way(End.RAISES, False)}),
        ("if '23505' = SQLSTATE and a then return new; end if; raise;", {Way(End.RAISES, False)}),
        ("if a or sqlerrm not like '%x%' then raise; end if;", {Way(End.RAISES, False)}),
        ("if left(sqlstate, 2) = '23' then return new; end if; raise;", {Way(End.RAISES, False)}),
        ("if position('x' in sqlerrm) > 0 then return new; end if; raise;", {Way(End.RAISES, False)}),
        ("case sqlstate when '23505' then null; end case;", {Way(End.RAISES, False)}),
        ("case when sqlstate = '23505' then null; else return new; end case;", {Way(End.RETURNS, False)}),
        ("e := sqlerrm; if e ~ 'x' then return new; end if; raise;", {Way(End.RAISES, False)}),
        (
            "get stacked diagnostics s = returned_sqlstate; if s in ('23505', '23503') then return new; end if; raise;",
            {Way(End.RAISES, False)},
        ),
        ("exit;", {Way(End.EXITS, False)}),
        ("exit when a;", {Way(End.EXITS, False), Way(End.FALLS, False)}),
        ("continue;", {Way(End.CONTINUES, False)}),
        ("for i in 1 .. 2 loop raise warning 'x'; end loop;", {Way(End.FALLS, True)}),
        ("loop exit; end loop; raise;", {Way(End.RAISES, False)}),
        ("begin raise; exception when others then null; end;", {Way(End.FALLS, False)}),
        ("begin raise; exception when unique_violation then null; end;", {Way(End.RAISES, False)}),
    ],
)
def test_the_ways_of_an_error_that_nobody_expects(statements: str, ways: set[Way]) -> None:
    body = parse_body(f"<<o>> begin loop begin perform 1; exception when others then {statements} end; end loop; end;")
    (loop,) = body.block.body
    assert isinstance(loop, tree.Loop)
    (block,) = loop.body
    assert isinstance(block, tree.Block)
    assert ways_through(block.handlers[0].body, UNEXPECTED, warns) == ways


@pytest.mark.parametrize(
    ("statements", "sqlstate", "out"),
    [
        ("raise;", "23505", True),
        ("if sqlstate = '23505' then return new; end if; raise;", "23505", False),
        ("if sqlstate = '23505' then return new; end if; raise;", "42P01", True),
        ("if sqlstate not in ('23505', '23503') then raise; end if;", "23503", False),
        ("if sqlstate not in ('23505', '23503') then raise; end if;", "23502", True),
        # What the text says is not known of an error that is named.
        ("if sqlerrm like '%profiles%' then return new; end if; raise;", "23505", False),
        ("case sqlstate when '23505' then null; end case;", "23505", False),
        ("case sqlstate when '23505' then null; end case;", "42P01", True),
        ("if a then raise; end if;", "23505", False),
    ],
)
def test_which_errors_escape(statements: str, sqlstate: str, out: bool) -> None:
    assert escapes(handler_of(statements), sqlstate) is out
