"""When a superuser has the server parse statements of a database: never where that could run the database's code."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import FreshDatabase
from trigger_audit.resources import read_sql

HARMLESS = {
    "comparison": "CREATE DOMAIN public.d AS int CHECK (VALUE > 0 AND VALUE < 10)",
    "pattern": "CREATE DOMAIN public.d AS text CHECK (VALUE ~ '^[a-z]+$' AND length(VALUE) < 9)",
    "time": "CREATE DOMAIN public.d AS timestamptz CHECK (VALUE <= now() AND VALUE > '2000-01-01'::date)",
    "choice": "CREATE DOMAIN public.d AS text CHECK (VALUE IN ('a', 'b'))",
    "range": "CREATE TYPE public.d AS RANGE (subtype = float8, subtype_diff = float8mi)",
    "extension": "CREATE EXTENSION earthdistance CASCADE",
    "case-insensitive": "CREATE EXTENSION citext; CREATE DOMAIN public.d AS citext CHECK (VALUE ~ '@')",
}
RUNS = {
    "own function": ("CHECK (public.f(VALUE))", "public.f"),
    "own operator": ("CHECK (VALUE OPERATOR(public.<@>) 1)", "public.g"),
    "any of an array": ("CHECK (VALUE OPERATOR(public.<@>) ANY ('{1,2}'::int[]))", "public.g"),
    "a query as text": ("CHECK (query_to_xml('select 1', true, true, '') IS NOT NULL)", "pg_catalog.query_to_xml"),
    "a table as xml": ("CHECK (table_to_xml('public.t', true, true, '') IS NOT NULL)", "pg_catalog.table_to_xml"),
    "a file": ("CHECK (pg_read_file('/etc/hostname') <> '')", "pg_catalog.pg_read_file"),
    "a cast to json": ("CHECK (to_jsonb(VALUE) IS NOT NULL)", "pg_catalog.to_jsonb"),
    "a setting": ("CHECK (set_config('role', 'none', false) = '')", "pg_catalog.set_config"),
}
OBJECTS = """
CREATE FUNCTION public.f(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION public.g(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR public.<@> (FUNCTION = public.g, LEFTARG = int, RIGHTARG = int);
CREATE TABLE public.t ();
"""


def risks(database: FreshDatabase, role: str = "supabase_admin") -> list[tuple[str, str, str]]:
    with psycopg.connect(database.conninfo(role), prepare_threshold=None) as connection:
        connection.execute("SET LOCAL search_path TO pg_catalog, pg_temp")
        return connection.execute(read_sql("ask/parse_time.sql")).fetchall()


@pytest.mark.parametrize("objects", HARMLESS.values(), ids=HARMLESS)
def test_what_is_harmless(fresh_database: FreshDatabase, objects: str) -> None:
    fresh_database.apply("CREATE DOMAIN public.other AS int NOT NULL")
    fresh_database.apply(objects, role="supabase_admin")
    assert risks(fresh_database) == []


@pytest.mark.parametrize(("check", "function"), RUNS.values(), ids=RUNS)
def test_what_runs_code(fresh_database: FreshDatabase, check: str, function: str) -> None:
    fresh_database.apply(f"{OBJECTS} CREATE DOMAIN public.d AS int {check}", role="supabase_admin")
    assert risks(fresh_database) == [("the CHECK of domain public.d", *function.split("."))]
    assert risks(fresh_database, "postgres") == []


def test_whoever_can_go_back_to_a_superuser(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(f"{OBJECTS} CREATE DOMAIN public.d AS int CHECK (public.f(VALUE))")
    with psycopg.connect(fresh_database.conninfo(), prepare_threshold=None) as connection:
        connection.execute("SET LOCAL ROLE postgres")
        assert len(connection.execute(read_sql("ask/parse_time.sql")).fetchall()) == 1
