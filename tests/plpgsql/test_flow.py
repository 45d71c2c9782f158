"""Control flow: what guards a statement, which handlers protect it, and whether a body ends without RETURN."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from trigger_audit.plpgsql import tree
from trigger_audit.plpgsql.flow import falls_through, guards_of, handlers_around
from trigger_audit.plpgsql.parser import parse_body
from trigger_audit.plpgsql.tree import Body


def _marked(body: Body) -> tree.Statement:
    """The statement `perform mark();`."""
    (found,) = (one for one in tree.walk(body.block) if isinstance(one, tree.Perform) and "mark" in one.query.text)
    return found


def _guards(text: str) -> list[str]:
    body = parse_body(text)
    return [("" if guard.holds else "not ") + guard.condition.text for guard in guards_of(body, _marked(body))]


@pytest.mark.parametrize(
    ("text", "guards"),
    [
        ("begin perform mark(); end", []),
        ("begin if a then perform mark(); end if; end", ["a"]),
        ("begin if a then null; else perform mark(); end if; end", ["not a"]),
        ("begin if a then elsif b then perform mark(); end if; end", ["not a", "b"]),
        ("begin if a then elsif b then else perform mark(); end if; end", ["not a", "not b"]),
        ("begin if a then if b then perform mark(); end if; end if; end", ["a", "b"]),
        ("begin if a then return new; end if; perform mark(); end", ["not a"]),
        ("begin if a then raise 'x'; end if; perform mark(); end", ["not a"]),
        ("begin if a then raise notice 'x'; end if; perform mark(); end", []),
        ("begin if a then return new; elsif b then return old; end if; perform mark(); end", ["not a", "not b"]),
        ("begin if a then return new; elsif b then null; end if; perform mark(); end", ["not a"]),
        ("begin if a then null; elsif b then return new; end if; perform mark(); end", []),
        ("begin begin if a then return new; end if; end; perform mark(); end", []),
        ("begin loop exit when a; perform mark(); end loop; end", ["not a"]),
        ("begin loop continue when a; perform mark(); end loop; end", ["not a"]),
        ("begin loop if a then exit; end if; perform mark(); end loop; end", ["not a"]),
        ("begin loop exit when a; end loop; perform mark(); end", []),
        ("begin <<l>> begin if a then exit l; end if; perform mark(); end; end", ["not a"]),
        ("begin <<l>> begin if a then exit l; end if; end; perform mark(); end", []),
        ("begin if a then <<l>> begin exit l; end; end if; perform mark(); end", []),
        ("begin while a loop perform mark(); end loop; end", ["a"]),
        ("begin while a loop null; end loop; perform mark(); end", []),
        ("begin case when a then null; when b then perform mark(); end case; end", ["not a", "b"]),
        ("begin case when a then null; else perform mark(); end case; end", ["not a"]),
        ("begin case v when 1 then perform mark(); end case; end", []),
        ("begin assert a; perform mark(); end", ["a"]),
        ("begin if a then loop null; end loop; end if; perform mark(); end", ["not a"]),
        ("begin if a then loop exit; end loop; end if; perform mark(); end", []),
        ("begin if a then begin raise 'x'; exception when others then end; end if; perform mark(); end", []),
        ("begin if a then return new; end if; exception when others then perform mark(); end", []),
        ("begin if a then begin perform 1; exception when others then perform mark(); end; end if; end", ["a"]),
    ],
)
def test_guards(text: str, guards: list[str]) -> None:
    assert _guards(text) == guards


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("begin perform mark(); end", []),
        ("begin perform mark(); exception when others then null; end", [["others"]]),
        (
            "begin begin perform mark(); exception when unique_violation then end; exception when others then end",
            [["unique_violation"], ["others"]],
        ),
        ("begin begin null; exception when unique_violation then end; perform mark(); end", []),
        ("begin null; exception when no_data_found then perform mark(); when io_error then null; end", []),
        (
            "begin begin null; exception when no_data_found then perform mark(); end;"
            " exception when io_error then null; end",
            [["io_error"]],
        ),
        (
            "begin loop if x then perform mark(); end if; end loop;"
            " exception when no_data_found or io_error then null; end",
            [["no_data_found", "io_error"]],
        ),
    ],
)
def test_handlers(text: str, conditions: list[list[str]]) -> None:
    body = parse_body(text)
    around = handlers_around(body, _marked(body))
    assert [[c for handler in handlers for c in handler.conditions] for _, handlers in around] == conditions


def test_a_default_is_not_protected_by_its_own_block() -> None:
    body = parse_body(
        "begin declare x int := f(); begin exception when no_data_found then end; exception when io_error then end"
    )
    inner = body.block.body[0]
    assert isinstance(inner, tree.Block)
    ((block, _),) = handlers_around(body, inner.declarations[0])
    assert block is body.block


_FALLING = (
    "begin null; end",
    "begin end",
    "begin if new.x = 3 then return new; end if; end",
    "begin if new.x = 2 then return new; elsif new.x = 3 then return new; end if; end",
    "begin raise notice 'x'; end",
    "begin begin raise 'x'; exception when others then null; end; end",
    "begin raise 'x'; exception when others then null; end",
    "begin raise 'x'; return new; exception when others then perform 1; end",
    "begin loop exit; end loop; end",
    "begin loop exit when new.x = 1; end loop; end",
    "begin <<l>> loop loop exit l; end loop; end loop; end",
    "begin <<l>> begin exit l; return new; end; end",
    "<<l>> begin exit l; return new; end",
    "begin exit f; return new; end",
    "begin while new.x = 2 loop return new; end loop; end",
    "begin for i in 1..0 loop return new; end loop; end",
    "begin for i in 1..2 loop continue; return new; end loop; end",
    "begin case when new.x = 1 then null; else return new; end case; end",
    "begin case new.x when 1 then null; end case; end",
    "<<weekend>> begin null; end weekend",
)
_RETURNING = (
    "begin return new; end",
    "begin return null; end",
    "begin if new.x = 1 then return new; else return old; end if; end",
    "begin if new.x = 2 then return new; elsif new.x = 1 then return new; else raise 'x'; end if; end",
    "begin begin raise 'x'; exception when others then return new; end; end",
    "begin case when new.x = 1 then return new; end case; end",
    "begin case new.x when 2 then return new; else return old; end case; end",
    "begin loop return new; end loop; end",
    "begin loop loop return new; end loop; end loop; end",
    "begin while true loop return new; end loop; end",
    "begin <<l>> begin if new.x = 2 then exit l; end if; return new; end; return old; end",
    "begin for i in 1..2 loop null; end loop; return new; end",
    "begin loop begin perform 1; return new; exception when others then continue; end; end loop; end",
)


def _run(connection: psycopg.Connection, body: str) -> str | None:
    connection.execute(sql.SQL("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS {}").format(sql.Literal(body)))
    connection.execute("CREATE TEMP TABLE t (x int)")
    connection.execute("CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
    try:
        connection.execute("INSERT INTO t VALUES (1)")
    except psycopg.Error as refusal:
        return refusal.sqlstate
    return None


@pytest.mark.parametrize("text", _FALLING)
def test_bodies_that_reach_their_end_without_return(connection: psycopg.Connection, text: str) -> None:
    assert _run(connection, text) == "2F005"
    assert falls_through(parse_body(text)) is not None


@pytest.mark.parametrize("text", _RETURNING)
def test_bodies_that_always_return(connection: psycopg.Connection, text: str) -> None:
    assert _run(connection, text) is None
    assert falls_through(parse_body(text)) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("begin null; end", "end"),
        ("begin null; END ;", "END"),
        ("<<weekend>> begin null; end weekend;", "end weekend"),
        ("begin null; exception when others then end", "end"),
        ("begin raise notice 'İİİ'; begin end; end", "end"),
    ],
)
def test_the_place_is_the_last_end(text: str, place: str) -> None:
    body = parse_body(text)
    found = falls_through(body)
    assert found is not None
    assert body.source.slice(found) == place
    assert found.end == len(text.rstrip(" ;"))


def test_what_is_known_of_conditions_counts() -> None:
    body = parse_body("begin if tg_op = 'INSERT' then return new; end if; end")
    assert falls_through(body) is not None
    assert falls_through(body, lambda _: True) is None
    assert falls_through(parse_body("begin loop exit when a; end loop; end"), lambda _: False) is None
