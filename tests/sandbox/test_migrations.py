"""Loading a project's files: what is applied, what is told, and with which rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from trigger_audit.sandbox.hosted import HostedRefusal
from trigger_audit.sandbox.migrations import FailedStatement, LoadReport, load_files
from trigger_audit.sandbox.project import SqlFile


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A database to load files into."""

    conninfo: str

    def load(self, *texts: str) -> LoadReport:
        return load_files(self.conninfo, [SqlFile(f"{number}.sql", text) for number, text in enumerate(texts, 1)])

    def clean(self, *texts: str) -> LoadReport:
        report = self.load(*texts)
        assert report.failed == ()
        return report

    def value(self, query: str) -> Any:
        with psycopg.connect(self.conninfo, prepare_threshold=None) as connection:
            row = connection.execute(query.encode()).fetchone()
            assert row is not None
            return row[0]


@pytest.fixture(params=["fresh_database", "fresh_database15"])
def database(request: pytest.FixtureRequest) -> _Loaded:
    return _Loaded(request.getfixturevalue(request.param).conninfo())


_TRIGGER = """
    create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = ''
    as $$ begin insert into public.profiles (id) values (new.id); return new; end $$;
    create trigger on_auth_user_created after insert on auth.users
        for each row execute function public.handle_new_user();
"""


def test_a_sound_project_loads_whole(database: _Loaded) -> None:
    report = database.clean(
        'create extension if not exists "uuid-ossp" with schema extensions;\n'
        "create extension if not exists pgcrypto;\n"
        "create extension if not exists pg_net with schema extensions;\n"
        "create table public.profiles (id uuid primary key references auth.users on delete cascade,\n"
        "  token uuid default uuid_generate_v4(), other uuid default extensions.uuid_generate_v4(),\n"
        "  secret text default encode(gen_random_bytes(8), 'hex'));\n"
        "alter table public.profiles enable row level security;\n"
        "create policy own on public.profiles for select to authenticated using (auth.uid() = id);\n",
        _TRIGGER,
        "insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.com');",
    )
    assert report.applied == 9
    assert database.value("select count(*) from public.profiles where token is not null and length(secret) = 16") == 1
    assert database.value("select relowner::regrole::text from pg_class where oid = 'public.profiles'::regclass") == (
        "postgres"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "drop trigger if exists on_auth_user_created on auth.users",
        "create policy p on storage.objects for select using (bucket_id = 'a')",
        "do $$ begin create policy p on realtime.messages for select using (true); end $$",
        "alter role authenticator set pgrst.db_schemas = 'public'",
        "alter publication supabase_realtime add table public.profiles",
        "set local session_replication_role = replica",
        "insert into storage.buckets (id, name) values ('a', 'a')",
        "comment on extension pgcrypto is 'x'",
        "create event trigger e on ddl_command_end execute function public.watch()",
        "select net.http_post('http://localhost', '{}'::jsonb)",
        "select vault.create_secret('a', 'b')",
    ],
)
def test_what_the_platform_grants_passes(database: _Loaded, statement: str) -> None:
    database.clean(
        "create table public.profiles (id uuid primary key);"
        "create function public.watch() returns event_trigger language plpgsql as 'begin end';" + _TRIGGER,
        statement,
    )
    database.load("alter role authenticator reset pgrst.db_schemas")


def test_rights_end_with_the_loading(database: _Loaded) -> None:
    database.clean("select 1")
    assert database.value("select pg_has_role('postgres', 'supabase_auth_admin', 'MEMBER')") is False
    assert database.value("select count(*) from pg_namespace where nspname = '_trigger_audit'") == 0
    with (
        psycopg.connect(database.conninfo, user="postgres") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("drop trigger if exists absent on auth.users; create index on auth.users (email)")


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("reset session authorization; create role broken_out superuser", "42501"),
        ("do $$ begin reset session authorization; create role broken_out superuser; end $$", "42501"),
        ("select _trigger_audit.run_elevated('guess', 'create role broken_out superuser')", "42501"),
        ("alter role postgres superuser", "42501"),
        ("grant supabase_admin to postgres", None),
        ("copy (select 1) to program 'true'", "42501"),
    ],
)
def test_a_file_does_not_become_superuser(database: _Loaded, statement: str, sqlstate: str | None) -> None:
    report = database.load(statement)
    assert len(report.failed) == 1
    assert sqlstate is None or report.failed[0].sqlstate == sqlstate
    assert database.value("select count(*) from pg_roles where rolname = 'broken_out'") == 0
    assert database.value("select rolsuper from pg_roles where rolname = 'postgres'") is False


def test_event_triggers_do_not_run_with_the_superusers_rights(database: _Loaded) -> None:
    database.clean(
        "create table public.seen (who text);"
        "create function public.watch() returns event_trigger language plpgsql as "
        "$$ begin insert into public.seen values (current_user); end $$;"
        "create event trigger e on ddl_command_end execute function public.watch();"
        "create table public.t (a int); create extension citext; comment on extension citext is 'x';"
    )
    assert database.value("select string_agg(distinct who, ',') from public.seen") == "postgres"


def test_a_failing_file_is_done_again_without_what_fails(database: _Loaded) -> None:
    report = database.load(
        "create table public.a (id int);\n\n-- broken\nselec 1;\ncreate table public.b (\n  id int,\n  x nosuch\n);\n"
        "create table public.c (id int);\n",
        "create table public.d (id int references public.b);",
    )
    assert report.failed == (
        FailedStatement("1.sql", 4, "selec 1", "42601", 'syntax error at or near "selec"'),
        FailedStatement(
            "1.sql", 7, "create table public.b (\n  id int,\n  x nosuch\n)", "42704", 'type "nosuch" does not exist'
        ),
        FailedStatement(
            "2.sql",
            1,
            "create table public.d (id int references public.b)",
            "42P01",
            'relation "public.b" does not exist',
        ),
    )
    assert report.applied == 2
    assert database.value("select to_regclass('public.c') is not null and to_regclass('public.b') is null")


def test_what_a_file_counts_on_at_commit(database: _Loaded) -> None:
    report = database.load(
        "create table public.p (id int primary key);"
        "create table public.c (id int references public.p deferrable initially deferred);",
        "insert into public.c values (1); insert into public.p values (2);",
    )
    assert [(failure.sqlstate, failure.statement) for failure in report.failed] == [
        ("23503", "insert into public.c values (1)")
    ]
    assert database.value("select count(*) from public.p") == 1


def test_settings_of_one_file_do_not_reach_the_next(database: _Loaded) -> None:
    database.clean(
        "select set_config('search_path', '', false); create table public.t (a int);",
        "create table u (a int); select uuid_generate_v4(); insert into t values (1);",
    )
    assert database.value("select to_regclass('public.u') is not null")


def test_own_transactions_end_where_they_say(database: _Loaded) -> None:
    report = database.clean(
        "begin; create table public.kept (a int); commit;\n"
        "begin; create table public.gone (a int); rollback;\n"
        "savepoint s; create table public.gone (a int); rollback to s; create table public.last (a int);"
    )
    assert report.applied == 10
    assert database.value(
        "select array_agg(relname::text order by 1) from pg_class where relname in ('kept', 'gone', 'last')"
    ) == ["kept", "last"]


def test_what_cannot_run_in_a_transaction(database: _Loaded) -> None:
    report = database.load(
        "create table public.t (a int);\ncreate index concurrently i on public.t (a);\n"
        "drop index concurrently public.i;\nvacuum public.t;\nalter system set jit = off;\n\\echo hi\n",
        "create type public.e as enum ('a');",
        "alter type public.e add value 'b';\ncreate table public.v (e public.e default 'b');\n"
        "insert into public.v values ('b');",
        "create database another;",
    )
    assert [(failure.file, failure.sqlstate, failure.message) for failure in report.failed] == [
        ("4.sql", None, "cannot be run in a sandbox")
    ]
    assert report.notes == (
        "1.sql:6: psql's own command left out: \\echo",
        "1.sql:4: not run in a sandbox: VACUUM",
        "1.sql:5: not run in a sandbox: ALTER",
        "3.sql:2: uses an enum value added just before: what stands before it was committed first",
    )
    assert database.value("select count(*) from public.v") == 1


def test_copy_data_and_windows_line_ends(database: _Loaded) -> None:
    database.clean("create table t (a int, b text);\r\ncopy t (a, b) from stdin;\r\n1\tx;y\r\n2\t\\N\r\n\\.\r\n")
    assert database.value("select string_agg(a || coalesce(b, '-'), ',' order by a) from t") == "1x;y,2-"


@pytest.mark.parametrize("statement", ["create extension pgcrypto", "create extension \"uuid-ossp\" version '1.0'"])
def test_an_extension_that_is_there_counts_as_applied(database: _Loaded, statement: str) -> None:
    report = database.clean(statement)
    assert (report.applied, len(report.notes)) == (1, 1)
    assert "is installed already" in report.notes[0]


def test_what_hosted_supabase_refuses_is_told(database: _Loaded) -> None:
    report = database.clean(
        "create index on auth.users (created_at);\nalter table if exists only auth.users add column x int;\n"
        "create table public.t (id uuid references auth.users);\nalter table public.t add column y int"
    )
    assert report.notes == ()
    words = "hosted Supabase refuses it: postgres may not change auth.users like this (it was applied here)"
    assert report.hosted == tuple(HostedRefusal("1.sql", line, 1, words, ("auth.users",)) for line in (1, 2))


def test_any_text_is_a_report_and_not_a_crash(database: _Loaded) -> None:
    report = database.load("this is \x1b[31m no SQL ; \u202e '", "", ";;;", "-- nothing")
    assert (len(report.failed), report.applied) == (2, 0)
