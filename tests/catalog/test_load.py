"""Loading as a whole: queries, snapshot, rights, encodings, hostile names, server versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.catalog.conftest import Server, load
from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.model import Catalog, Table, Trigger
from trigger_audit.errors import TriggerAuditError
from trigger_audit.resources import sql_folder

TABLE_WITH_TRIGGER = """
    CREATE TABLE t{0} (id integer PRIMARY KEY, name text DEFAULT 'x' CHECK (name <> ''), ref integer REFERENCES t{0});
    CREATE FUNCTION f{0}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g{0} BEFORE UPDATE ON t{0} FOR EACH ROW WHEN (new.name <> old.name) EXECUTE FUNCTION f{0}();
"""


def loaded_with(conninfo: str, before: Callable[[int], None]) -> Catalog:
    """The catalog, with `before` called ahead of each statement with the number of those already sent."""
    sent = 0

    class Observed(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal sent
            before(sent)
            sent += 1
            return super().execute(*args, **kwargs)

    with psycopg.connect(conninfo, cursor_factory=Observed) as connection:
        return load_catalog(connection)


def count_of_statements(conninfo: str) -> int:
    numbers: list[int] = []
    loaded_with(conninfo, numbers.append)
    return len(numbers)


def test_the_number_of_queries_is_constant(server: Server) -> None:
    with server.database(TABLE_WITH_TRIGGER.format(1)) as conninfo:
        one = count_of_statements(conninfo)
    with server.database("".join(TABLE_WITH_TRIGGER.format(number) for number in range(200))) as conninfo:
        assert count_of_statements(conninfo) == one
        assert len(load(conninfo).triggers) == 200
    assert one <= 16


def test_every_query_has_a_header_and_an_order() -> None:
    files = sorted((sql_folder() / "catalog").glob("*.sql"))
    assert len(files) == 13
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert text.startswith("-- Purpose: "), file
        assert "-- Minimum server version: 14\n" in text, file
        assert text.count(";\n") == 1 or file.name == "session.sql", file
        assert "ORDER BY" in text or file.name == "session.sql", file


def test_the_connection_is_left_as_found(everything: str) -> None:
    settings = "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'transaction%' ORDER BY name"
    with psycopg.connect(everything) as connection:
        connection.execute("SET search_path = app, auth")
        connection.execute("SET client_encoding = 'LATIN1'")
        connection.commit()
        connection.execute("SET LOCAL lock_timeout = '7s'")
        before = connection.execute(settings).fetchall()
        load_catalog(connection)
        assert connection.info.transaction_status.name == "INTRANS"
        assert connection.execute(settings).fetchall() == before
        connection.rollback()
        load_catalog(connection)
        assert connection.info.transaction_status.name == "IDLE"


def test_the_sessions_own_settings_change_nothing(everything: str, catalog: Catalog) -> None:
    options = "-c search_path=app,auth,public -c datestyle=German -c timezone=Asia/Tokyo -c quote_all_identifiers=on"
    assert load(make_conninfo(everything, options=options)) == catalog


def test_two_loads_are_the_same(everything: str, catalog: Catalog) -> None:
    again = load(everything)
    assert again == catalog
    assert repr(again) == repr(catalog)


def test_server_and_platform(server: Server, catalog: Catalog) -> None:
    with psycopg.connect(server.conninfo) as connection:
        number = connection.info.server_version
    assert catalog.server_version_num == number
    assert catalog.server_version == f"{number // 10000}.{number % 10000}"
    assert catalog.user == "supabase_admin"
    assert catalog.schemas.keys() == {"app", "auth", "public"}
    assert catalog.schemas["auth"].owner == "catalog_owner"


def test_platform_needs_both_roles_and_users(server: Server, catalog: Catalog) -> None:
    """The test's superuser is supabase_admin, so auth.users decides."""
    assert "supabase_admin" in catalog.roles
    assert catalog.platform == "supabase"
    with server.database("") as conninfo:
        assert load(conninfo).platform == "postgres"


def test_a_role_that_may_only_connect_sees_all_of_it(server: Server, everything: str, catalog: Catalog) -> None:
    with server.roles(catalog_stranger="LOGIN"), psycopg.connect(everything) as connection:
        connection.execute("SET SESSION AUTHORIZATION catalog_stranger")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("SELECT FROM app.fields")
        seen = load_catalog(connection)
        connection.rollback()
        connection.execute("RESET SESSION AUTHORIZATION")
        connection.commit()
    assert seen.user == "catalog_stranger"
    roles = {name: role for name, role in seen.roles.items() if name != "catalog_stranger"}
    assert dataclasses.replace(seen, user=catalog.user, roles=roles) == catalog


def test_what_another_session_makes_meanwhile_is_not_seen(server: Server) -> None:
    with server.database(TABLE_WITH_TRIGGER.format(0)) as conninfo, psycopg.connect(conninfo, autocommit=True) as other:
        before = load(conninfo)
        position = iter(range(1, 100))

        def interfere(sent: int) -> None:
            # The first SELECT, the third statement, takes the snapshot.
            if sent >= 3:
                other.execute(TABLE_WITH_TRIGGER.format(next(position)).encode())
                other.execute("INSERT INTO t0 VALUES (1)")
                other.execute("DELETE FROM t0")

        assert loaded_with(conninfo, interfere) == before
        assert len(load(conninfo).triggers) > 10


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ("DROP TABLE t0 CASCADE", True),
        ("DROP TRIGGER g0 ON t0", True),
        ("CREATE OR REPLACE TRIGGER g0 BEFORE UPDATE ON t0 FOR EACH ROW EXECUTE FUNCTION f0()", True),
        # pg_get_constraintdef and pg_get_expr work on what the snapshot holds.
        ("ALTER TABLE t0 DROP CONSTRAINT t0_name_check", False),
        ("ALTER TABLE t0 ALTER COLUMN name DROP DEFAULT", False),
    ],
)
def test_what_another_session_drops_meanwhile(server: Server, change: str, noticed: bool) -> None:
    """Some functions that deparse look past the snapshot: the catalog is the old one whole, or there is none."""
    outcomes: set[str] = set()
    with server.database("") as conninfo, psycopg.connect(conninfo, autocommit=True) as other:
        for moment in (3, 6, 9, 13):
            other.execute("DROP TABLE IF EXISTS t0 CASCADE; DROP FUNCTION IF EXISTS f0")
            other.execute(TABLE_WITH_TRIGGER.format(0).encode())
            before = load(conninfo)

            def interfere(sent: int, moment: int = moment) -> None:
                if sent == moment:
                    other.execute(change.encode())

            try:
                outcomes.add("whole" if loaded_with(conninfo, interfere) == before else "mixed")
            except TriggerAuditError as error:
                outcomes.add(error.message)
    noted = "the schema was changed while it was being read"
    assert outcomes == ({"whole", noted} if noticed else {"whole"})


def test_hostile_names(server: Server) -> None:
    names = [
        'quo"te',
        "new\nline",
        "esc\x1b[31mred",
        "right\u202eto left",
        "back\\slash",
        "per%cent",
        "d.ot",
        "ünï",
        "'",
    ]
    script = ""
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        script += f"""
            CREATE SCHEMA {quoted};
            CREATE TABLE {quoted}.{quoted} ({quoted} text DEFAULT '' CHECK ({quoted} <> ''));
            CREATE UNIQUE INDEX ON {quoted}.{quoted} (lower({quoted}), {quoted});
            CREATE FUNCTION {quoted}.{quoted}({quoted} text) RETURNS text LANGUAGE sql AS 'SELECT 1';
            CREATE FUNCTION {quoted}.{quoted}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER {quoted} BEFORE UPDATE OF {quoted} ON {quoted}.{quoted} FOR EACH ROW
                WHEN (new.{quoted} IS NOT NULL) EXECUTE FUNCTION {quoted}.{quoted}('{name.replace("'", "''")}');
        """
    with server.database(script) as conninfo:
        catalog = load(conninfo)
    assert catalog.schemas.keys() == {*names, "public"}
    for name in names:
        table = catalog.tables_by_name[name, name]
        assert [column.name for column in table.columns] == [name]
        assert table.indexes[0].columns == (None, name)
        assert table.constraints[0].columns == (name,)
        [trigger] = catalog.triggers_by_table[table.oid]
        assert (trigger.name, trigger.columns, trigger.arguments) == (name, (name,), (name,))
        assert {found.arguments for found in catalog.functions_by_name[name, name]} == {(), ((name, 25),)}


def test_another_server_encoding(server: Server) -> None:
    script = """
        CREATE TABLE t (n integer);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN /* é */ RETURN NEW; END';
        CREATE TRIGGER "gü" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f('ß', 'a');
    """
    with server.database(script, encoding="LATIN1") as conninfo:
        catalog = load(conninfo)
    [trigger] = catalog.triggers
    assert (trigger.name, trigger.arguments) == ("gü", ("ß", "a"))
    assert catalog.functions[trigger.function].source == "BEGIN /* é */ RETURN NEW; END"


def test_newer_column_and_constraint_states(server: Server) -> None:
    """Virtual columns and NOT ENFORCED came with 18; an older server refuses the script with a syntax error."""
    script = """
        CREATE TABLE t (
            a integer NOT NULL,
            v integer GENERATED ALWAYS AS (a + 1) VIRTUAL,
            CONSTRAINT c CHECK (a > 0) NOT ENFORCED
        );
    """
    with psycopg.connect(server.conninfo) as connection:
        assert connection.info.server_version >= 180000, "the sandbox's server is expected to be 18 or newer"
    with server.database(script) as conninfo:
        [table] = load(conninfo).tables.values()
    assert (table.by_name["v"].generated, table.by_name["v"].default) == ("v", None)
    assert [(found.name, found.enforced, found.kind) for found in table.constraints] == [("c", False, "c")]


def named(catalog: Catalog) -> dict[str, Any]:
    """The catalog with names in place of oids, without what is the server's own (version, predefined roles)."""
    types = {oid: f"{found.schema}.{found.name}" for oid, found in catalog.types.items()}
    tables = {oid: found.name for oid, found in catalog.tables.items()}
    functions = {oid: found.name for oid, found in catalog.functions.items()}

    def table(found: Table) -> dict[str, Any]:
        return dict(_fields(found, oid=None, partition_of=tables.get(found.partition_of or 0))) | {
            "columns": [dict(_fields(column, type_oid=types[column.type_oid])) for column in found.columns],
            "constraints": [
                dict(_fields(constraint, references=tables.get(constraint.references or 0)))
                for constraint in found.constraints
            ],
        }

    def trigger(found: Trigger) -> dict[str, Any]:
        return dict(_fields(found, oid=None, table=tables[found.table], function=functions[found.function]))

    return {
        "types": [
            dict(
                _fields(
                    found,
                    oid=None,
                    base=types.get(found.base or 0),
                    element=types.get(found.element or 0),
                    relation=tables.get(found.relation or 0),
                )
            )
            for found in catalog.types.values()
        ],
        "tables": [table(found) for found in catalog.tables.values()],
        "functions": [
            dict(
                _fields(
                    found,
                    oid=None,
                    returns=types[found.returns],
                    arguments=[(name, types[oid]) for name, oid in found.arguments],
                )
            )
            for found in catalog.functions.values()
        ],
        "triggers": [trigger(found) for found in catalog.triggers],
        "schemas": {name: found.owner for name, found in catalog.schemas.items()},
        "extensions": catalog.extensions,
        "roles": {name: found for name, found in catalog.roles.items() if name.startswith("catalog_")},
        "settings": catalog.settings,
    }


def _fields(of: Any, **replaced: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(of):
        if field.compare:
            yield field.name, replaced[field.name] if field.name in replaced else getattr(of, field.name)


def test_15_and_18_give_the_same(catalog: Catalog, older_server: Server) -> None:
    newer: Mapping[str, Any] = named(catalog)
    with older_server.everything() as conninfo:
        loaded = load(conninfo)
    assert (loaded.server_version_num // 10000, catalog.server_version_num // 10000) == (15, 18)
    older = named(loaded)
    for part, value in newer.items():
        assert older[part] == value, part
