"""Each way of switching a trigger off, for each kind of trigger: off within the savepoint, as it was after it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.smoke.conftest import Database, connect, session_on
from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.model import Catalog, Trigger
from trigger_audit.smoke.toggles import Method, Switch, Switchboard, switch_off, switchboard

FUNCTION = """
CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN RAISE EXCEPTION 'fired'; END $$;
"""

KINDS = {
    "before": "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON public.things FOR EACH ROW {call}",
    "after": "CREATE TRIGGER t AFTER INSERT ON public.things FOR EACH ROW {call}",
    "when": "CREATE TRIGGER t AFTER INSERT ON public.things FOR EACH ROW WHEN (NEW.n > 0) {call}",
    "columns": 'CREATE TRIGGER t AFTER INSERT OR UPDATE OF n, "odd name" ON public.things FOR EACH ROW {call}',
    "statement": "CREATE TRIGGER t AFTER INSERT ON public.things FOR EACH STATEMENT {call}",
    "transition": 'CREATE TRIGGER t AFTER INSERT ON public.things REFERENCING NEW TABLE AS "New Rows"'
    " FOR EACH STATEMENT {call}",
    "arguments": "CREATE TRIGGER t AFTER INSERT ON public.things FOR EACH ROW {arguments}",
    "odd name": 'CREATE TRIGGER "a ""b"" c" AFTER INSERT ON public.things FOR EACH ROW {call}',
    "always": "CREATE TRIGGER t AFTER INSERT ON public.things FOR EACH ROW {call};"
    " ALTER TABLE public.things ENABLE ALWAYS TRIGGER t",
    "constraint": "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON public.things DEFERRABLE FOR EACH ROW {call}",
}


def made(database: Database, kind: str, *, owner: str = "postgres") -> None:
    with connect(database) as connection:
        connection.execute(
            b'CREATE TABLE public.things (n int, "odd name" int); ALTER TABLE public.things OWNER TO postgres'
        )
        connection.execute(FUNCTION.format(name='"f u"').encode())
        connection.execute(f'ALTER FUNCTION public."f u"() OWNER TO {owner}'.encode())
        call = 'EXECUTE FUNCTION public."f u"({})'
        arguments = call.format("'it''s', '\\x', 'line\nbreak'")
        connection.execute(KINDS[kind].format(call=call.format(""), arguments=arguments).encode())


def board(connection: psycopg.Connection[Any], *, allow_locks: bool) -> tuple[Catalog, Switchboard]:
    catalog = load_catalog(connection)
    mine = [trigger for trigger in catalog.triggers if catalog.tables[trigger.table].name == "public.things"]
    return catalog, switchboard(session_on(connection), catalog, mine, allow_locks=allow_locks)


def forced(catalog: Catalog, found: Switchboard, method: Method) -> Switch:
    (switch,) = found.switches
    assert switch.method is method
    assert switch.names == tuple(catalog.trigger_name(trigger) for trigger in _things(catalog))
    return switch


def _things(catalog: Catalog) -> list[Trigger]:
    return [trigger for trigger in catalog.triggers if catalog.tables[trigger.table].name == "public.things"]


def fires(connection: psycopg.Connection[Any]) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO public.things VALUES (1, 1)")
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.errors.RaiseException:
        return True
    return False


def state(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT pg_get_triggerdef(t.oid), t.tgenabled, t.oid, p.prosrc, p.prosecdef, p.proconfig, p.proowner"
        " FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = 'public.things'::regclass"
        " AND NOT t.tgisinternal ORDER BY t.tgname"
    ).fetchall()


def goes_off_and_on(database: Database, role: str, method: Method, *, allow_locks: bool) -> str | None:
    """The strongest lock on the table that the switch itself took."""
    with connect(database, role) as connection:
        before = state(connection)
        with connection.transaction(force_rollback=True):
            catalog, found = board(connection, allow_locks=allow_locks)
            switch = forced(catalog, found, method)
            assert fires(connection)
            with connection.transaction(force_rollback=True):
                switch_off(session_on(connection), [switch])
                locks = connection.execute(
                    "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'public.things'::regclass"
                ).fetchall()
                assert not fires(connection)
            assert fires(connection)
        assert state(connection) == before
        return next((mode for (mode,) in locks if mode == "ShareRowExclusiveLock"), None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_that_does_nothing(fresh_database: Database, kind: str) -> None:
    made(fresh_database, kind)
    assert goes_off_and_on(fresh_database, "postgres", Method.FUNCTION_NOOP, allow_locks=False) is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "constraint"])
def test_a_condition_that_never_holds(fresh_database: Database, kind: str) -> None:
    """The function belongs to somebody else."""
    made(fresh_database, kind, owner="supabase_admin")
    lock = goes_off_and_on(fresh_database, "postgres", Method.WHEN_FALSE, allow_locks=True)
    assert lock == "ShareRowExclusiveLock"


def test_a_constraint_trigger_is_disabled(fresh_database: Database) -> None:
    made(fresh_database, "constraint", owner="supabase_admin")
    lock = goes_off_and_on(fresh_database, "postgres", Method.DISABLE_TRIGGER, allow_locks=True)
    assert lock == "ShareRowExclusiveLock"


@pytest.mark.parametrize("kind", ["after", "constraint"])
def test_without_locks_there_may_be_no_way(fresh_database: Database, kind: str) -> None:
    made(fresh_database, kind, owner="supabase_admin")
    with connect(fresh_database, "postgres") as connection:
        _, found = board(connection, allow_locks=False)
    assert found.switches == ()
    assert found.stuck == {
        "public.things.t": "its function is not ours to replace, and a lock on its table needs --allow-locks"
    }


def test_nothing_of_ours_to_change(fresh_database: Database) -> None:
    made(fresh_database, "after", owner="supabase_admin")
    with connect(fresh_database, "authenticator") as connection:
        catalog = load_catalog(connection)
        found = switchboard(session_on(connection), catalog, _things(catalog), allow_locks=True)
    assert found.switches == ()
    assert found.stuck == {"public.things.t": "neither its function nor the trigger is ours to change"}


@pytest.mark.parametrize("how", ["DISABLE", "ENABLE REPLICA"])
def test_what_does_not_fire_is_left_alone(fresh_database: Database, how: str) -> None:
    made(fresh_database, "after")
    with connect(fresh_database) as connection:
        connection.execute(f"ALTER TABLE public.things {how} TRIGGER t".encode())
        _, found = board(connection, allow_locks=True)
    assert found == Switchboard((), {})


def test_a_disabled_trigger_does_not_share_its_function(fresh_database: Database) -> None:
    made(fresh_database, "after")
    with connect(fresh_database) as connection:
        connection.execute(
            b'CREATE TRIGGER other AFTER UPDATE ON public.things FOR EACH ROW EXECUTE FUNCTION public."f u"();'
            b"ALTER TABLE public.things DISABLE TRIGGER other"
        )
        _, found = board(connection, allow_locks=False)
    (switch,) = found.switches
    assert switch.names == ("public.things.t",)
