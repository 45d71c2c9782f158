"""Which tables are audited, and what is said where a name is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalog.conftest import Server, load
from trigger_audit.catalog.audited import audited_tables
from trigger_audit.catalog.model import Catalog
from trigger_audit.errors import TriggerAuditError, UsageError

SCRIPT = r"""
    CREATE SCHEMA auth;
    CREATE SCHEMA app;
    CREATE SCHEMA "Odd.one";
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE auth.users (id integer);
    CREATE TABLE auth.sessions (id integer);
    CREATE TABLE auth.identities (id integer);
    CREATE TABLE public.profiles (id integer);
    CREATE TABLE public."Teams" (id integer);
    CREATE TABLE public.teams (id integer);
    CREATE TABLE app."Members" (id integer);
    CREATE TABLE app.profiles (id integer);
    CREATE TABLE app.only_here (id integer);
    CREATE TABLE app.twice (id integer);
    CREATE TABLE "Odd.one".twice (id integer);
    CREATE TABLE "Odd.one"."a ""b"".c" (id integer);
    CREATE TABLE public.plain (id integer);
    CREATE TYPE app.address AS (street text);
    CREATE TRIGGER t BEFORE INSERT ON auth.sessions FOR EACH ROW EXECUTE FUNCTION f();
    CREATE TRIGGER t BEFORE INSERT ON auth.identities FOR EACH ROW EXECUTE FUNCTION f();
    CREATE TRIGGER t BEFORE INSERT ON public.profiles FOR EACH ROW EXECUTE FUNCTION f();
    CREATE TRIGGER t BEFORE INSERT ON app.only_here FOR EACH ROW EXECUTE FUNCTION f();
"""

DEFAULT = ["auth.users", "auth.identities", "auth.sessions"]


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Catalog]:
    with server.database(SCRIPT) as conninfo:
        yield load(conninfo)


@pytest.fixture(scope="module")
def without_auth(server: Server) -> Iterator[Catalog]:
    with server.database("CREATE TABLE plain (id integer)") as conninfo:
        yield load(conninfo)


def names(catalog: Catalog, *tables: str, all_tables: bool = False) -> list[str]:
    return [table.name for table in audited_tables(catalog, tables, all_tables)]


def test_auth_users_and_what_carries_triggers_in_auth(shop: Catalog) -> None:
    assert names(shop) == DEFAULT


def test_all_tables_with_triggers(shop: Catalog) -> None:
    assert names(shop, all_tables=True) == [*DEFAULT, "app.only_here", "public.profiles"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("public.plain", "public.plain"),
        ("PUBLIC.Plain", "public.plain"),
        ("plain", "public.plain"),
        ("profiles", "public.profiles"),
        ("app.profiles", "app.profiles"),
        ("only_here", "app.only_here"),
        ("Members", "app.Members"),
        ('app."Members"', "app.Members"),
        ("Teams", "public.Teams"),
        ("TEAMS", "public.teams"),
        ('"teams"', "public.teams"),
        ('"Odd.one".twice', "Odd.one.twice"),
        ('"Odd.one"."a ""b"".c"', 'Odd.one.a "b".c'),
    ],
)
def test_named_tables_come_in_addition(shop: Catalog, written: str, meant: str) -> None:
    assert names(shop, written) == [*DEFAULT, meant]


def test_no_table_comes_twice(shop: Catalog) -> None:
    assert names(shop, "auth.users", "plain", "public.plain") == [*DEFAULT, "public.plain"]


def test_a_wrong_name_is_told_the_nearest(shop: Catalog) -> None:
    with pytest.raises(TriggerAuditError) as caught:
        names(shop, "public.profile")
    assert caught.value.message == "there is no table public.profile"
    assert caught.value.remedy == "did you mean public.profiles or app.profiles?"
    with pytest.raises(TriggerAuditError) as caught:
        names(shop, "public.members")
    assert caught.value.remedy == 'did you mean app."Members"?'
    with pytest.raises(TriggerAuditError) as caught:
        names(shop, "zzzzzzzzzzzz")
    assert caught.value.remedy == "use --all-tables to audit every table that has triggers"


def test_quoted_names_are_not_folded(shop: Catalog) -> None:
    with pytest.raises(TriggerAuditError, match='no table "PLAIN"'):
        names(shop, '"PLAIN"')


def test_a_name_in_several_schemas(shop: Catalog) -> None:
    with pytest.raises(UsageError) as caught:
        names(shop, "twice")
    assert caught.value.remedy == 'name one of "Odd.one".twice, app.twice'


def test_composite_types_are_no_tables(shop: Catalog) -> None:
    with pytest.raises(TriggerAuditError, match=r"no table app\.address"):
        names(shop, "app.address")


@pytest.mark.parametrize("written", ["", "a.b.c", ".a", "a.", 'a"b', '"a', '"a"b', "a..b", '""', " ", "a. "])
def test_what_is_no_name(shop: Catalog, written: str) -> None:
    with pytest.raises(UsageError, match="is no table name"):
        names(shop, written)


def test_hostile_names_stay_on_one_line(shop: Catalog) -> None:
    with pytest.raises(TriggerAuditError) as caught:
        names(shop, "a\nb\x1b[31m\u202e")
    assert caught.value.message == "there is no table a\\nb\\x1b[31m\\u202e"


def test_without_auth_users(without_auth: Catalog) -> None:
    with pytest.raises(TriggerAuditError) as caught:
        names(without_auth)
    assert caught.value.message == "no auth.users here"
    assert caught.value.remedy == "scan takes --table schema.table or --all-tables, smoke takes --statement FILE"
    assert names(without_auth, "plain") == ["public.plain"]
    assert names(without_auth, all_tables=True) == []
