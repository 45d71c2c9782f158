"""Triggers: each field once, firing order, partition clones, WHEN conditions of every kind."""

from __future__ import annotations

import psycopg
import pytest

from tests.catalog.conftest import Server, load
from trigger_audit.catalog.model import Catalog, Trigger
from trigger_audit.catalog.triggers import when_condition
from trigger_audit.errors import TriggerAuditError


def triggers(catalog: Catalog, schema: str, relation: str) -> tuple[Trigger, ...]:
    return catalog.triggers_by_table[catalog.tables_by_name[schema, relation].oid]


def trigger(catalog: Catalog, name: str) -> Trigger:
    [found] = [found for found in catalog.triggers if found.name == name]
    return found


def test_firing_order(catalog: Catalog) -> None:
    found = [(item.timing, item.level, item.name, item.order) for item in triggers(catalog, "auth", "users")]
    assert found == [
        ("BEFORE", "STATEMENT", "wiped", 1),
        ("BEFORE", "STATEMENT", "z_statement", 1),
        # Bytes, not letters: B sorts before a.
        ("BEFORE", "ROW", "B_first", 1),
        ("BEFORE", "ROW", "a_update", 1),
        # Second in INSERT and in UPDATE.
        ("BEFORE", "ROW", "b_second", 2),
        ("AFTER", "ROW", "at_commit", 1),
        ("AFTER", "ROW", "condition", 1),
        ("AFTER", "ROW", "in_c", 2),
        ("AFTER", "ROW", "simple", 2),
        # Third in INSERT and UPDATE, first in DELETE.
        ("AFTER", "ROW", "when", 1),
        ("AFTER", "STATEMENT", "tables_seen", 1),
    ]


def test_the_server_fires_in_that_order(server: Server) -> None:
    script = """
        CREATE TABLE t (n integer);
        CREATE TABLE fired (number serial, name text);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO fired (name) VALUES (tg_name); RETURN new; END $$;
    """
    for name in ("ä", "b", "Z", "a_", "aB", "_", "é"):
        script += f'CREATE TRIGGER "{name}" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();'
        script += f'CREATE TRIGGER "{name}1" AFTER INSERT ON t EXECUTE FUNCTION f();'
    with server.database(script) as conninfo, psycopg.connect(conninfo) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        fired = [name for (name,) in connection.execute("SELECT name FROM fired ORDER BY number")]
        connection.rollback()
        assert [found.name for found in load(conninfo).triggers] == fired


def test_events_columns_and_arguments(catalog: Catalog) -> None:
    found = trigger(catalog, "when")
    assert found.events == ("INSERT", "UPDATE", "DELETE")
    assert found.columns == ("is_anonymous", "email")
    assert found.arguments == ("plain", "it's \\x", "", "zurück", "00 ")
    assert (found.when, found.constraint, found.deferrable, found.enabled) == (None, False, False, "origin")
    assert catalog.functions[found.function].name == "app.on_user()"
    assert catalog.trigger_name(found) == "auth.users.when"
    assert trigger(catalog, "wiped").events == ("TRUNCATE",)


def test_constraint_trigger(catalog: Catalog) -> None:
    found = trigger(catalog, "at_commit")
    assert (found.constraint, found.deferrable, found.initially_deferred) == (True, True, True)


def test_transition_tables(catalog: Catalog) -> None:
    found = trigger(catalog, "tables_seen")
    assert (found.level, found.old_table, found.new_table) == ("STATEMENT", "Before", "after")


def test_enabled_states(catalog: Catalog) -> None:
    states = {found.name: (found.enabled, found.fires) for found in triggers(catalog, "app", "parent")}
    assert states == {
        "built_in": ("origin", True),
        "s_always": ("always", True),
        "s_disabled": ("disabled", False),
        "s_replica": ("replica", False),
    }


def test_instead_of(catalog: Catalog) -> None:
    [found] = triggers(catalog, "app", "seen")
    assert (found.timing, found.level) == ("INSTEAD OF", "ROW")


def test_partition_clones_are_folded(catalog: Catalog) -> None:
    assert [found.name for found in triggers(catalog, "app", "measured")] == ["cloned"]
    assert [found.name for found in triggers(catalog, "app", "measured_2024")] == ["own_of_partition"]
    assert catalog.tables_by_name["app", "measured_2025"].oid not in catalog.triggers_by_table


def test_when(catalog: Catalog) -> None:
    assert trigger(catalog, "simple").when == "new.is_anonymous"
    assert trigger(catalog, "condition").when == (
        "((old.email)::text IS DISTINCT FROM (new.email)::text) AND "
        "(((new.email)::text <> ') WHEN ( EXECUTE FUNCTION \"x'::text) OR ((new.email)::text = '\\'')'::text))"
    )


def test_when_with_hostile_names(server: Server) -> None:
    script = r"""
        CREATE SCHEMA "WHEN (";
        CREATE TABLE "WHEN ("." EXECUTE FUNCTION )" ("when" text, "a "" WHEN (" text);
        CREATE FUNCTION "WHEN ("."f)"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER "t WHEN (" BEFORE UPDATE OF "when" ON "WHEN ("." EXECUTE FUNCTION )" FOR EACH ROW
            WHEN (CASE WHEN new."when" = '(' THEN (true) ELSE old."a "" WHEN (" = ')' END)
            EXECUTE FUNCTION "WHEN ("."f)"('WHEN (x)');
    """
    with server.database(script) as conninfo:
        [found] = load(conninfo).triggers
    assert found.columns == ("when",)
    assert " ".join((found.when or "").split()) == (
        'CASE WHEN (new."when" = \'(\'::text) THEN true ELSE (old."a "" WHEN (" = \')\'::text) END'
    )


def test_a_definition_that_lost_its_condition_is_an_error() -> None:
    with pytest.raises(TriggerAuditError, match="changed while it was being read"):
        when_condition("CREATE TRIGGER t BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION f('WHEN (x)')")


def test_extensions_triggers_and_tables(server: Server) -> None:
    """Made members of the extension by hand: no extension at hand has a trigger of its own."""
    script = """
        CREATE EXTENSION tcn;
        CREATE TABLE theirs (id integer PRIMARY KEY);
        CREATE TABLE theirs_with_ours (id integer PRIMARY KEY);
        CREATE FUNCTION ours() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER of_extension AFTER INSERT ON theirs FOR EACH ROW
            EXECUTE FUNCTION triggered_change_notification();
        CREATE TRIGGER of_user AFTER INSERT ON theirs_with_ours FOR EACH ROW EXECUTE FUNCTION ours();
        ALTER EXTENSION tcn ADD TABLE theirs;
        ALTER EXTENSION tcn ADD TABLE theirs_with_ours;
    """
    with server.database(script) as conninfo:
        catalog = load(conninfo)
    assert [found.name for found in catalog.triggers] == ["of_user"]
    assert [found.name for found in catalog.tables.values()] == ["public.theirs_with_ours"]
