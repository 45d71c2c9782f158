"""What is stored besides functions' bodies: references of each kind of expression, rights, number of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from tests.catalog.conftest import Server
from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.stored import Behind, load_stored
from trigger_audit.resources import sql_folder

ONE = """
    CREATE TABLE t{0} (id serial PRIMARY KEY, name text DEFAULT now()::text CHECK (length(name) > 1));
    CREATE VIEW v{0} AS SELECT lower(name) AS name FROM t{0};
"""


def stored_in(conninfo: str, before: Callable[[], None] = lambda: None) -> Behind:
    class Observed(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            before()
            return super().execute(*args, **kwargs)

    with psycopg.connect(conninfo) as connection:
        catalog = load_catalog(connection)
        connection.cursor_factory = Observed
        return load_stored(connection, catalog)


def test_the_number_of_queries_is_constant(server: Server) -> None:
    counts: list[int] = []
    for number in (1, 100):
        calls: list[None] = []
        with server.database("".join(ONE.format(each) for each in range(number))) as conninfo:
            behind = stored_in(conninfo, lambda: calls.append(None))  # noqa: B023
        assert len(behind.sequences) == number
        counts.append(len(calls))
    assert counts[0] == counts[1] <= 5


def test_every_kind_gives_its_functions(server: Server) -> None:
    script = """
        CREATE FUNCTION f(a int DEFAULT abs(1)) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
        CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE DOMAIN d AS int DEFAULT f(1) CHECK (f(VALUE) > 0);
        CREATE TABLE t (a int DEFAULT f(1), b int GENERATED ALWAYS AS (f(2)) STORED, c d, CHECK (f(a) > 0));
        CREATE INDEX ON t (f(a)) WHERE f(b) > 0;
        CREATE POLICY p ON t USING (f(a) > 0);
        CREATE RULE r AS ON DELETE TO t DO ALSO SELECT f(1);
        CREATE TRIGGER w BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.a) > 0) EXECUTE FUNCTION g();
        CREATE TABLE parted (a int) PARTITION BY RANGE (f(a));
        CREATE VIEW v AS SELECT f(a) FROM t ORDER BY sum(a) OVER ();
    """
    with server.database(script) as conninfo, psycopg.connect(conninfo) as connection:
        catalog = load_catalog(connection)
        behind = load_stored(connection, catalog)
        (function,) = catalog.functions_by_name["public", "f"]
        table = catalog.tables_by_name["public", "t"]
        stored = [each for found in behind.by_owner.values() for each in found]
        assert {each.kind for each in stored if function.oid in each.functions} == {
            "default", "generated", "constraint", "domain constraint", "domain default", "policy", "index", "rule",
            "trigger", "partition key",
        }  # fmt: skip
        (default,) = behind.by_owner[function.oid]
        assert [behind.names[oid] for oid in default.functions] == [("pg_catalog", "abs")]
        (view,) = behind.by_owner[catalog.tables_by_name["public", "v"].oid]
        assert (table.oid in view.relations, view.definition) == (True, None)
        assert ("pg_catalog", "sum") in {behind.names.get(oid) for oid in view.functions}


def test_any_role_may_load(server: Server) -> None:
    with server.roles(catalog_reader="LOGIN"), server.database(ONE.format(1)) as conninfo:
        everything = stored_in(conninfo)
        with psycopg.connect(conninfo) as connection:
            connection.execute("SET ROLE catalog_reader")
            assert load_stored(connection, load_catalog(connection)) == everything


def test_a_name_is_no_reference(server: Server) -> None:
    """Blanks in names are escaped in a node tree, and constants stand there as bytes."""
    script = """CREATE VIEW v AS SELECT 1 AS ":funcid 2880", ':funcid 2880 ' AS b"""
    with server.database(script) as conninfo:
        behind = stored_in(conninfo)
    assert behind.names == {}
    assert {oid for found in behind.by_owner.values() for each in found for oid in each.functions} == set()


def test_every_query_has_a_header_and_an_order() -> None:
    files = sorted((sql_folder() / "hazards").glob("*.sql"))
    assert len(files) == 4
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert text.startswith("-- Purpose: "), file
        assert "-- Minimum server version: 14\n" in text, file
        assert "ORDER BY" in text, file
        assert max(map(len, text.splitlines())) <= 120, file
