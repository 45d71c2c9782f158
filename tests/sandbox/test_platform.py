"""Statements that the platform takes and a bare PostgreSQL does not, or only elsewhere."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import FreshDatabase
from tests.sandbox.test_migrations import _Loaded
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile
from trigger_audit.sandbox.server import Sandbox


@pytest.fixture(params=["fresh_database", "fresh_database15"])
def database(request: pytest.FixtureRequest) -> _Loaded:
    return _Loaded(request.getfixturevalue(request.param).conninfo())


@pytest.fixture
def embedded(fresh_database: FreshDatabase) -> _Loaded:
    return _Loaded(fresh_database.conninfo())


def test_what_was_enabled_in_the_dashboard(database: _Loaded) -> None:
    report = database.load(
        "create table public.t (at extensions.geography(point, 4326), a text);\n"
        "select cron.unschedule(jobname) from cron.job;\nselect cron.schedule('a', '* * * * *', 'select 1');\n"
        "select pgmq.create('q');\ncreate extension pg_cron;\n",
        # The same one by one, for one fails.
        "create index on public.t using gin (a extensions.gin_trgm_ops);\nselec;\nselect nosuch.f();\n",
    )
    assert [(failed.file, failed.line, failed.sqlstate) for failed in report.failed] == [
        ("2.sql", 2, "42601"),
        ("2.sql", 3, "3F000"),
    ]
    assert report.notes == (
        *(
            f"{place}: needs the extension {name}, which was not created: taken as enabled in the dashboard"
            for place, name in (("1.sql:1", "postgis"), ("1.sql:2", "pg_cron"), ("1.sql:4", "pgmq"))
        ),
        "1.sql:5: the extension pg_cron is installed already",
        "2.sql:1: needs the extension pg_trgm, which was not created: taken as enabled in the dashboard",
    )
    assert database.value("select count(*) from pgmq.meta") == 1


def test_foreign_data_wrappers_that_do_nothing(database: _Loaded) -> None:
    report = database.clean(
        "create extension wrappers with schema extensions; create extension postgres_fdw with schema extensions;\n"
        "create foreign data wrapper stripe_wrapper handler stripe_fdw_handler validator stripe_fdw_validator;\n"
        "create foreign data wrapper own handler extensions.wasm_fdw_handler;\n"
        "do $$ begin create server a foreign data wrapper stripe_wrapper options (api_key 'x'); end $$;\n"
        "create server b foreign data wrapper own options (x 'y');\n"
        "create server c foreign data wrapper postgres_fdw options (host 'example.com');\n"
        "create user mapping for postgres server c options (password_required 'false');\n"
        "create foreign table public.far (id text) server c;\n"
        "create foreign table public.bill (id text) server a;\n"
        "drop foreign data wrapper if exists nosuch;\n"
    )
    assert report.notes == ("1.sql:2: the foreign-data wrapper stripe_wrapper is there already",)
    for table in ("far", "bill"):
        with pytest.raises(psycopg.Error):
            database.value(f"select count(*) from public.{table}")


def test_a_wrapper_calls_no_function_of_the_project(database: _Loaded) -> None:
    """PostgreSQL calls the validator, as the superuser who makes the wrapper, for its options."""
    database.load(
        "create table public.seen (who text);"
        "create function public.validator(text[], oid) returns void language sql as "
        "'insert into public.seen values (current_user)';"
        "create foreign data wrapper own validator public.validator options (a 'b');"
        "create server s foreign data wrapper own options (a 'b');"
    )
    assert database.value("select count(*) from pg_foreign_server where srvname = 's'") == 1
    assert database.value("select count(*) from public.seen") == 0


def test_other_servers_are_not_connected_to(database: _Loaded) -> None:
    database.clean(
        "create extension dblink; select dblink_connect('x', 'host=192.0.2.1 connect_timeout=1');"
        "select dblink_exec('x', 'drop table t'); select * from dblink('x', 'select 1') as t (a int);"
        "select dblink_disconnect('x');"
    )


def test_collations_of_icu(embedded: _Loaded) -> None:
    report = embedded.clean(
        'create table public.t (a text collate "de-AT-x-icu", b text collate "und-x-icu");\n'
        "create collation public.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);\n"
        "create collation if not exists fr (provider = icu, locale = 'fr');\n"
        'create index on public.t (a collate public.ci, b collate "und-x-icu");',
    )
    assert report.notes == (
        "1.sql:1: the server has no collation de-AT-x-icu: it orders by code point here",
        "1.sql:1: the server has no collation und-x-icu: it orders by code point here",
        "1.sql:2: the server cannot make this collation: it orders by code point here",
        "1.sql:3: the server cannot make this collation: it orders by code point here",
    )
    embedded.clean("create collation us (provider = libc, locale = 'en_US.UTF-8'); select 'a' collate \"en_US.utf8\";")
    (failed,) = embedded.load("create collation de (provider = libc, locale = 'nosuch');").failed
    assert failed.sqlstate == "22023"
    (failed,) = embedded.load("select 'a' collate \"nosuch\";").failed
    assert failed.sqlstate == "42704"


def test_what_ends_transactions_of_its_own(database: _Loaded) -> None:
    report = database.clean(
        "create table public.t (a int);\n"
        "create procedure public.p() language plpgsql as "
        "$$ begin insert into public.t values (1); commit; end $$;\n"
        "call public.p();\ninsert into public.t values (2);"
    )
    assert report.notes == ("1.sql:3: ends transactions of its own: what stands before it was committed first",)
    assert database.value("select array_agg(a order by a) from public.t") == [1, 2]


def test_inserts_in_a_row(database: _Loaded, caplog: pytest.LogCaptureFixture) -> None:
    """They are sent together, and one by one where one of them fails."""
    rows = [f"insert into public.t values ({number});\n" for number in range(500)]
    rows[300] = "insert into public.t values ('x');\n"
    rows[400] = "insert into public.t values (400) -- a comment\n;\n"
    report = database.load("create table public.t (a int check (a <> 7));\n" + "".join(rows))
    assert [(failed.line, failed.sqlstate) for failed in report.failed] == [(9, "23514"), (302, "22P02")]
    assert report.applied == 499
    assert caplog.records == []
    assert database.value("select count(*) from public.t") == 498


def test_an_object_of_an_extension_that_is_there_is_not_the_extension(database: _Loaded) -> None:
    report = database.load("create type public.http_header as (a int);\ncreate extension http schema public;")
    assert [(failed.line, failed.sqlstate) for failed in report.failed] == [(2, "42710")]


def test_versions_and_labels(database: _Loaded) -> None:
    report = database.clean(
        "create extension if not exists http with schema extensions version '1.5';\n"
        "alter extension http update to '1.6';\nalter extension pgcrypto update to '1.4';\n"
        "security label for pgsodium on column auth.users.email is 'x';\n"
    )
    assert report.notes == ("1.sql:4: not run in a sandbox: SECURITY",)


def test_a_dump_of_the_whole_database(database: _Loaded) -> None:
    """What the platform has made is there already; what the project made is applied."""
    report = database.clean(
        "\\restrict x\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
        "CREATE SCHEMA auth;\nCREATE TYPE auth.aal_level AS ENUM ('aal1');\n"
        "CREATE TABLE auth.users (id uuid NOT NULL);\n"
        "CREATE PUBLICATION supabase_realtime WITH (publish = 'insert');\n"
        "CREATE TABLE public.t (a integer);\n"
        "COPY public.t (a) FROM stdin;\n1\n2\n\\.\n"
        "ALTER TABLE ONLY auth.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);\n\\unrestrict x\n"
    )
    own = "is the platform's own, and there already"
    assert [note for note in report.notes if "psql" not in note] == [
        f"1.sql:4: auth {own}",
        f"1.sql:5: auth.aal_level {own}",
        f"1.sql:6: auth.users {own}",
        f"1.sql:7: supabase_realtime {own}",
        f"1.sql:13: auth.users {own}",
    ]
    assert database.value("select count(*) from public.t") == 2


def test_the_history_tells_of_the_migrations_before(database: _Loaded) -> None:
    asked = "select 1 / count(*) from supabase_migrations.schema_migrations where version = '{}' and name = 'one'"
    files = [
        SqlFile("/x/supabase/migrations/20260101000000_one.sql", "select 1"),
        SqlFile("seed.sql", asked.replace("{}", "20260101000000")),
        # Kept out of it, which is no failure.
        SqlFile("20260101000001_two.sql", "alter table supabase_migrations.schema_migrations drop column name"),
        SqlFile("20260101000002_three.sql", "select 1"),
    ]
    assert load_files(database.conninfo, files).failed == ()
    assert database.value("select array_agg(version) from supabase_migrations.schema_migrations") == ["20260101000000"]


def test_a_seed_of_users_fires_their_triggers(database: _Loaded) -> None:
    database.clean(
        "create table public.profiles (id uuid primary key references auth.users, email text);"
        "create function public.f() returns trigger language plpgsql security definer set search_path = '' as "
        "$$ begin insert into public.profiles values (new.id, new.email); return new; end $$;"
        "create trigger t after insert on auth.users for each row execute function public.f();",
        "insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, "
        "raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token) values "
        "('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', "
        "'a@example.com', crypt('secret', gen_salt('bf')), now(), '{}', '{}', now(), now(), '', '');"
        "insert into auth.identities (id, user_id, provider_id, identity_data, provider) "
        "select gen_random_uuid(), id, id::text, '{}', 'email' from auth.users;",
    )
    assert database.value("select string_agg(email, ',') from public.profiles") == "a@example.com"


def test_what_hosted_supabase_refuses_is_told_in_every_form(database: _Loaded) -> None:
    report = database.clean(
        "create function auth.own() returns int language sql as 'select 1';\n"
        "comment on table storage.objects is 'x';\ndrop function auth.own();"
    )
    assert [(each.line, each.objects) for each in report.hosted] == [
        (1, ("auth.own",)),
        (2, ("storage.objects",)),
        (3, ("auth.own",)),
    ]


def test_storage_protects_its_rows(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.conninfo("postgres"), prepare_threshold=None) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Direct deletion"), connection.transaction():
            connection.execute("delete from storage.objects")
        connection.execute("set local storage.allow_delete_query = 'true'; delete from storage.objects")
        connection.rollback()
