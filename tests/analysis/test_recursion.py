"""Which cycles go round for ever: what is said of each is what PostgreSQL does."""

from __future__ import annotations

import psycopg
import pytest

from tests.analysis.cascades import cascade_of, prepared
from trigger_audit.sandbox.server import Sandbox

TABLES = """
create schema loops;
create table loops.t (id int primary key, a text, b text, n int default 0, flag boolean not null default true,
  parent int);
create table loops.p (id int primary key, a text, t_id int, n int default 0);
insert into loops.t values (1, 'pending', 'B', 0, true, null), (2, 'q', 'z', 0, true, 1), (3, null, null, 0, true, 1);
insert into loops.p values (1, 'q', 1, 0), (3, null, 3, 0);
"""
EVENTS = (
    "update loops.t set a = 'W', b = 'W' where id = 1",
    "update loops.t set b = 'W' where id = 3",
    "insert into loops.t (id, a, b) values (50, 'k', 'K')",
)


def trigger(name: str, attached: str, body: str, declared: str = "") -> str:
    return f"""
create function loops.{name}() returns trigger language plpgsql set search_path = loops as $$
{declared}
begin
  {body}
  return new;
end $$;
create trigger {name} {attached} execute function loops.{name}();
"""


ROW = "after update on loops.t for each row"
SELF = "update t set n = n + 1 where id = new.id;"
ON_P = "after update on loops.p for each row"

EVER = {
    "the row itself": trigger("s", ROW, SELF),
    "every row": trigger("s", ROW, "update t set n = n + 1;"),
    "in a BEFORE trigger": trigger(
        "s", "before update on loops.t for each row", "update t set n = 1 where id = new.id;"
    ),
    "a WHERE in a BEFORE trigger stops nothing": trigger(
        "s",
        "before update on loops.t for each row",
        "update t set a = 'x' where id = new.id and a is distinct from 'x';",
    ),
    "the column list holds the column": trigger(
        "s", "after update of a on loops.t for each row", "update t set a = 'y' where id = new.id;"
    ),
    "INSERT OR UPDATE": trigger("s", "after insert or update on loops.t for each row", SELF),
    "rows that make rows": trigger(
        "s", "after insert on loops.t for each row", "insert into t (id) values (new.id + 1);"
    ),
    "BEFORE INSERT fires before the conflict is seen": trigger(
        "s",
        "before insert on loops.t for each row",
        "insert into t (id) values (new.id) on conflict (id) do nothing;",
    ),
    "an upsert of the row itself": trigger(
        "s", ROW, "insert into t (id, n) values (new.id, 1) on conflict (id) do update set n = excluded.n;"
    ),
    "over two tables and back": trigger("s", ROW, "update p set a = new.a where id = new.id;")
    + trigger("q", ON_P, "update t set a = new.a where id = new.id;"),
    "over two tables by a foreign key": trigger("s", ROW, "update p set n = n + 1 where t_id = new.id;")
    + trigger("q", ON_P, "update t set n = n + 1 where id = new.t_id;"),
    "for each statement, with no row at all": trigger(
        "s", "after update on loops.t for each statement", "update t set n = 1 where false;"
    ),
    "a condition that stays true": trigger("s", ROW, f"if new.flag then {SELF} end if;"),
    "two triggers of one table": trigger(
        "s", "after update of a on loops.t for each row", "update t set b = new.a || 'x' where id = new.id;"
    )
    + trigger("q", "after update of b on loops.t for each row", "update t set a = new.b || 'x' where id = new.id;"),
    "in a constant that EXECUTE runs": trigger("s", ROW, "execute 'update loops.t set n = n + 1';"),
    "NULL stays NULL": trigger("s", ROW, f"if new.a is null then {SELF} end if;"),
}

STOPS = {
    "WHERE finds nothing the second time": trigger(
        "s", ROW, "update t set a = 'x' where id = new.id and a is distinct from 'x';"
    ),
    "the same with an expression": trigger(
        "s", ROW, "update t set a = lower(new.b) where id = new.id and a is distinct from lower(new.b);"
    ),
    "IF tests a column that stays": trigger("s", ROW, f"if new.a is distinct from old.a then {SELF} end if;"),
    "pg_trigger_depth in IF": trigger("s", ROW, f"if pg_trigger_depth() < 2 then {SELF} end if;"),
    "pg_trigger_depth in WHEN": trigger("s", f"{ROW} when (pg_trigger_depth() = 0)", SELF),
    "pg_trigger_depth and an early exit": trigger(
        "s", ROW, f"if pg_trigger_depth() > 1 then return new; end if; {SELF}"
    ),
    "the column list lacks the column": trigger("s", "after update of a on loops.t for each row", SELF),
    "WHEN tests a column that stays": trigger("s", f"{ROW} when (old.a is distinct from new.a)", SELF),
    "WHEN tests the row, which stays": trigger(
        "s", f"{ROW} when (old.* is distinct from new.*)", "update t set n = 7 where id = new.id;"
    ),
    "DO NOTHING for the row that is there": trigger(
        "s",
        "after insert on loops.t for each row",
        "insert into t (id) values (new.id) on conflict do nothing;",
    ),
    "an upsert's own WHERE": trigger(
        "s",
        ROW,
        "insert into t (id, n) values (new.id, 1) on conflict (id) do update set n = excluded.n"
        " where t.n is distinct from excluded.n;",
    ),
    "two tables and one guard": trigger("s", ROW, "update p set a = new.a where id = new.id;")
    + trigger("q", ON_P, "if new.a is distinct from old.a then update t set a = new.a where id = new.id; end if;"),
    "two tables and a column list": trigger(
        "s", "after update of a on loops.t for each row", "update p set a = new.a where id = new.id;"
    )
    + trigger("q", ON_P, "update t set n = 1 where id = new.id;"),
    "rows that are done are met no more": trigger("s", ROW, "update t set a = 'done' where a = 'pending';"),
    "a flag that the write clears": trigger(
        "s", ROW, "if new.flag then update t set flag = false where id = new.id; end if;"
    ),
    "NULL that the write fills": trigger(
        "s", ROW, "if new.a is null then update t set a = 'set' where id = new.id; end if;"
    ),
}

NO_CYCLE = {
    "an INSERT trigger updates": trigger("s", "after insert on loops.t for each row", SELF),
    "the branch of another event": trigger(
        "s", "after insert or update on loops.t for each row", f"if tg_op = 'INSERT' then {SELF} end if;"
    ),
    "disabled": trigger("s", ROW, SELF) + "alter table loops.t disable trigger s;",
}

# What ends only because of the data, or would go on for ever but is not seen to: no error is made of it.
UNDECIDED = {
    "up a tree": trigger("s", ROW, "update t set n = n + 1 where id = new.parent;"),
    "a variable in the guard": trigger(
        "s", ROW, "v := new.b; update t set a = v where id = new.id and a is distinct from v;", "declare v text;"
    ),
    "a test of another table": trigger("s", ROW, f"if exists (select from p where n > 5) then {SELF} end if;"),
}


def looped(connection: psycopg.Connection) -> bool:
    """Whether one of the events runs into the stack limit."""
    connection.execute("SET LOCAL max_stack_depth = '300kB'")
    found = set()
    for event in EVENTS:
        connection.execute("SAVEPOINT event")
        try:
            connection.execute(event.encode())
        except psycopg.Error as error:
            found.add(error.sqlstate)
        connection.execute("ROLLBACK TO event")
    assert found <= {"54001"}
    return bool(found)


def verdicts(connection: psycopg.Connection) -> set[str]:
    cascade, _ = cascade_of(connection, ["loops.t"])
    return {"undecided" if found.undecided else "stops" if found.guarded else "ever" for found in cascade.recursions}


@pytest.mark.parametrize("case", EVER)
def test_goes_on_for_ever(postgres15: Sandbox, case: str) -> None:
    with prepared(postgres15.conninfo(), TABLES + EVER[case], "supabase_admin") as connection:
        assert looped(connection)
        assert "ever" in verdicts(connection)


@pytest.mark.parametrize("case", STOPS)
def test_stops_by_itself(postgres15: Sandbox, case: str) -> None:
    with prepared(postgres15.conninfo(), TABLES + STOPS[case], "supabase_admin") as connection:
        assert not looped(connection)
        assert verdicts(connection) == {"stops"}


@pytest.mark.parametrize("case", NO_CYCLE)
def test_is_no_cycle(postgres15: Sandbox, case: str) -> None:
    with prepared(postgres15.conninfo(), TABLES + NO_CYCLE[case], "supabase_admin") as connection:
        assert not looped(connection)
        assert verdicts(connection) == set()


@pytest.mark.parametrize("case", UNDECIDED)
def test_depends_on_data(postgres15: Sandbox, case: str) -> None:
    with prepared(postgres15.conninfo(), TABLES + UNDECIDED[case], "supabase_admin") as connection:
        assert not looped(connection)
        assert verdicts(connection) == {"undecided"}


def test_a_before_trigger_that_stops_early_meets_its_own_change(postgres15: Sandbox) -> None:
    # pg_trigger_depth() ends the cycle, and then the statement finds its row changed already: 27000, no recursion.
    sql = trigger("s", "before update on loops.t for each row", f"if pg_trigger_depth() < 2 then {SELF} end if;")
    with prepared(postgres15.conninfo(), TABLES + sql, "supabase_admin") as connection:
        assert verdicts(connection) == {"stops"}
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(EVENTS[0].encode())
        assert caught.value.sqlstate == "27000"


def test_names_the_way_round(postgres15: Sandbox) -> None:
    with prepared(postgres15.conninfo(), TABLES + EVER["over two tables and back"], "supabase_admin") as connection:
        cascade, _ = cascade_of(connection, ["loops.t"])
    (found,) = cascade.recursions
    assert found.cycle == ("loops.t.s", "loops.p.q", "loops.t.s")
    assert found.tables == ("loops.t", "loops.p")
    assert (found.trigger.name, found.write.target.name, found.site.visit.via[-1]) == ("s", "t", "loops.p.q")


def test_on_auth_users_the_updates_of_every_sign_up_count(postgres15: Sandbox) -> None:
    sql = """
create function public.touch() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set updated_at = now() where id = new.id;
  return new;
end $$;
create trigger touch after update on auth.users for each row execute function public.touch();
"""
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    (found,) = cascade.recursions
    assert not found.guarded
    assert found.site.certain
    assert "signup-email" in {firing.flow for firing in found.site.firings}


def test_many_triggers_of_auth_users_that_write_it_stay_tractable(postgres15: Sandbox) -> None:
    # Every one fires all others: following each way through them would take for ever.
    sql = "".join(
        f"""
create function public.f{number}() returns trigger language plpgsql security definer as $$
begin update auth.users set aud = 'x{number}' where id = new.id; return new; end $$;
create trigger t{number} after update on auth.users for each row execute function public.f{number}();
"""
        for number in range(12)
    )
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    assert len(cascade.visits) == 12
    assert {found.cycle[0] for found in cascade.recursions if not found.guarded} == {
        f"auth.users.t{number}" for number in range(12)
    }


def test_a_cycle_over_two_triggers_of_auth_users(postgres15: Sandbox) -> None:
    sql = """
create function public.one() returns trigger language plpgsql security definer as $$
begin update auth.users set aud = new.role where id = new.id; return new; end $$;
create function public.two() returns trigger language plpgsql security definer as $$
begin update auth.users set role = new.aud || 'x' where id = new.id; return new; end $$;
create trigger one after update of role on auth.users for each row execute function public.one();
create trigger two after update of aud on auth.users for each row execute function public.two();
"""
    with prepared(postgres15.conninfo(), sql) as connection:
        cascade, _ = cascade_of(connection)
    found = {recursion.cycle for recursion in cascade.recursions if not recursion.guarded}
    assert ("auth.users.one", "auth.users.two", "auth.users.one") in found
