"""Which statement of which file defined what, asked of two servers."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pytest

from tests.conftest import FreshDatabase
from tests.sandbox.placing import MARK, without_mark
from trigger_audit.sandbox.definitions import Definition
from trigger_audit.sandbox.migrations import LoadReport, load_files
from trigger_audit.sandbox.project import SqlFile

BODY = "returns trigger language plpgsql as $$ begin return new; end $$"
USERS = "on auth.users for each row execute function"


@dataclass(frozen=True, slots=True)
class Case:
    """Files of a project of which one holds the mark: there the object is defined. None: no file defines it."""

    kind: str
    name: str
    files: tuple[str, ...]


def case(kind: str, name: str, *files: str) -> Case:
    return Case(kind, name, files)


CASES = {
    "a function, after another statement in its line": case(
        "function", "c1.f()", f"-- ü\n\nselect 1; {MARK}create function c1.f() {BODY};"
    ),
    "the last of several files": case(
        "function",
        "c2.f()",
        f"create function c2.f() {BODY};",
        f"select 1;\n  {MARK}create or replace function c2.f() {BODY};",
        "select 2;",
    ),
    "dropped and made again": case(
        "function",
        "c3.f()",
        f"create function c3.f() {BODY};",
        f"drop function c3.f();\r\n/* a\r\n comment */ {MARK}create function c3.f() {BODY};",
    ),
    "altered, granted, commented": case(
        "function",
        "c4.f()",
        f"{MARK}create function c4.f() {BODY};",
        "alter function c4.f() set search_path = '';alter function c4.f() security definer;"
        "grant execute on function c4.f() to anon; comment on function c4.f() is 'x';",
    ),
    "an overload": case(
        "function",
        "c5.f(integer, text[])",
        f"create function c5.f(int) returns int language sql as 'select 1';"
        f"{MARK}create function c5.f(a int, b text[], out c int) language sql as 'select 1';"
        "create or replace function c5.f(int) returns int language sql as 'select 2';",
    ),
    "renamed": case(
        "function", "c6.g()", f"{MARK}create function c6.f() {BODY};", "alter function c6.f() rename to g;"
    ),
    "moved": case(
        "function",
        "c7_other.f(c7.kind)",
        "create type c7.kind as enum ('a');\n"
        f"{MARK}create function c7.f(c7.kind) returns int language sql as 'select 1';",
        "create schema c7_other; alter function c7.f set schema c7_other;",
    ),
    "quoted names": case(
        "function",
        'c8.Größe der Tür(c8."My Type")',
        'create type c8."My Type" as (a int);'
        f'{MARK}create function c8."Größe der Tür"(c8."My Type") returns int language sql as \'select 1\';',
    ),
    "of a path": case("function", "c9.f()", f"set search_path = c9;\n{MARK}create function f() {BODY};"),
    "of a block": case(
        "function",
        "c10.f()",
        f"{MARK}do $do$ begin\n  if true then\n    execute $sql$/*000000001*/create function c10.f() {BODY}$sql$;\n"
        "  end if;\nend $do$;",
    ),
    "of a block, with a statement of its own": case(
        "function", "c11.f()", f"select 1;\n{MARK}do $do$ begin\n  create function c11.f() {BODY};\nend $do$;"
    ),
    "of a helper function": case(
        "function",
        "c12.made()",
        "create function c12.make(name text) returns void language plpgsql as $m$ begin\n"
        f"  execute format('create function c12.%I() {BODY}', name);\nend $m$;\n{MARK}select c12.make('made');",
    ),
    "a second definition that fails": case(
        "function",
        "c13.f()",
        f"{MARK}create function c13.f() {BODY};",
        "select 1;create or replace function c13.f() returns trigger language plpgsql as 'begin nonsense end';",
    ),
    "a second definition that goes with its file's transaction": case(
        "function",
        "c14.f()",
        f"{MARK}create function c14.f() {BODY};",
        f"begin; create or replace function c14.f() {BODY}; rollback;",
    ),
    "a second definition that a block takes back": case(
        "function",
        "c15.f()",
        f"{MARK}create function c15.f() {BODY};",
        f"do $do$ begin\n  create or replace function c15.f() {BODY};\n  perform 1 / 0;\n"
        "exception when division_by_zero then null; end $do$;",
    ),
    "of a replica's session": case(
        "function", "c16.f()", f"set session_replication_role = replica;\n{MARK}create function c16.f() {BODY};"
    ),
    "with strings that take escapes": case(
        "function", "c17.f()", f"set standard_conforming_strings = off;\n{MARK}create function c17.f() {BODY};"
    ),
    "after the session's reset": case(
        "function",
        "c18.f()",
        f"do 'begin reset all; end'; discard plans; deallocate all;\n{MARK}create function c18.f() {BODY};",
    ),
    "a procedure": case("function", "c19.p(integer)", f"{MARK}create procedure c19.p(int) language sql as 'select 1';"),
    "a body that the server keeps as a tree": case(
        "function", "c20.f()", f"{MARK}create function c20.f() returns int begin atomic select 1; end;"
    ),
    "a table": case(
        "table", "c21.t", f"{MARK}create table c21.t (a int);alter table c21.t add b int, enable row level security;"
    ),
    "a table of a query": case("table", "c22.t", f"{MARK}select 1 as a into c22.t;"),
    "a view": case(
        "table", "c23.v", f"create view c23.v as select 1 as a;{MARK}create or replace view c23.v as select 2 as a;"
    ),
    "a table that is made with its schema": case(
        "table", "c24_other.t", f"{MARK}create schema c24_other create table t (a int);"
    ),
    "a constraint of a new table": case(
        "constraint", "c25.t.t_id_fkey", f"{MARK}create table c25.t (id uuid references auth.users);"
    ),
    "an added constraint": case(
        "constraint",
        "c26.t.positive",
        "create table c26.t (a int primary key);\nalter table c26.t add b int;"
        f"{MARK}alter table only c26.t add constraint positive check (a > 0);alter table c26.t add c int;",
    ),
    "an added column's constraint, renamed": case(
        "constraint",
        "c27.t2.mine",
        f"create table c27.t ();{MARK}alter table c27.t add a uuid references auth.users;"
        "alter table c27.t rename constraint t_a_fkey to mine; alter table c27.t rename to t2;",
    ),
    "a constraint of Auth's own": case("constraint", "auth.users.users_pkey", "alter table auth.users add c28 int;"),
    "a policy": case(
        "policy", "c29.t.own", f"create table c29.t (a int);{MARK}create policy own on c29.t using (true);"
    ),
    "an altered policy": case(
        "policy",
        "c30.t.own",
        "create table c30.t (a int); create policy own on c30.t using (true);"
        f"\n{MARK}alter policy own on c30.t using (false);",
    ),
    "a trigger": case(
        "trigger",
        "auth.users.c31",
        f"create function c31.f() {BODY};{MARK}create trigger c31 after insert {USERS} c31.f();"
        f"create or replace function c31.f() {BODY};",
    ),
    "a trigger that is switched off": case(
        "trigger",
        "auth.users.c32",
        f"create function c32.f() {BODY};create trigger c32 after insert {USERS} c32.f();",
        f"{MARK}alter table auth.users disable trigger c32;",
        "alter table auth.users add c32 int;",
    ),
    "a trigger that is switched off and on": case(
        "trigger",
        "auth.users.c33",
        f"create function c33.f() {BODY};\n{MARK}create trigger c33 after insert {USERS} c33.f();",
        "alter table auth.users disable trigger c33; alter table auth.users enable trigger c33;",
    ),
    "a trigger that is replaced": case(
        "trigger",
        "auth.users.c34",
        f"create function c34.f() {BODY};create trigger c34 after insert {USERS} c34.f();"
        f"{MARK}create or replace trigger c34 after update {USERS} c34.f();",
    ),
    "a constraint trigger": case(
        "trigger",
        "auth.users.c35",
        f"create function c35.f() {BODY};{MARK}create constraint trigger c35 after insert {USERS} c35.f();",
    ),
    "what an event trigger of the project makes": case(
        "table",
        "c36.made",
        "create function c36.watch() returns event_trigger language plpgsql as $$ begin\n"
        "  if to_regclass('c36.made') is null and to_regclass('c36.t') is not null then\n"
        "    execute 'create table c36.made ()';\n  end if;\nend $$;"
        "create event trigger c36 on ddl_command_end execute function c36.watch();",
        f"{MARK}create table c36.t (a int);",
        "drop event trigger c36;",
    ),
    "what an extension makes": case(
        "function",
        "extensions.citext_eq(extensions.citext, extensions.citext)",
        "create extension citext with schema extensions;",
    ),
    "made by a trigger of one of several INSERTs": case(
        "function",
        "c37.f()",
        "create table c37.asked (what text);"
        "create function c37.make() returns trigger language plpgsql as $$ begin if new.what = 'go' then execute "
        "'create function c37.f() returns int language sql as ''select 1'''; end if; return new; end $$;"
        "create trigger make after insert on c37.asked for each row execute function c37.make();",
        f"insert into c37.asked values ('one');\ninsert into c37.asked values ('two');\n"
        f"  {MARK}insert into c37.asked values ('go'); insert into c37.asked values ('three');",
    ),
}
# What fails in them, and is meant to.
FAILS = {"a second definition that fails": "42601"}


@pytest.mark.parametrize("server", ["fresh_database", "fresh_database15"])
def test_where_each_kind_of_object_is_defined(server: str, request: pytest.FixtureRequest) -> None:
    database: FreshDatabase = request.getfixturevalue(server)
    expected: dict[str, tuple[str, int, int] | None] = {}
    files: list[SqlFile] = []
    for number, (name, each) in enumerate(CASES.items(), 1):
        expected[name] = None
        files.append(SqlFile("schemas.sql", f"create schema c{number};"))
        for place, text in enumerate(each.files, 1):
            path = f"{name}/{place}.sql"
            if MARK in text:
                text, at = without_mark(text)
                expected[name] = (path, *at)
            files.append(SqlFile(path, text))
    report = load_files(database.conninfo(), files)
    assert {each.file.partition("/")[0]: each.sqlstate for each in report.failed} == FAILS
    defined = {(each.kind, each.name): each for each in report.definitions}
    found = {name: defined.get((each.kind, each.name)) for name, each in CASES.items()}
    assert {name: each and (each.file, each.line, each.column) for name, each in found.items()} == expected
    texts = {file.path: file.text for file in files}
    for definition in filter(None, found.values()):
        line = texts[definition.file].split("\n")[definition.line - 1]
        assert line[definition.column - 1 :].startswith(definition.statement.split("\n")[0])


def load(database: FreshDatabase, *texts: str) -> LoadReport:
    return load_files(database.conninfo(), [SqlFile(f"{number}.sql", text) for number, text in enumerate(texts, 1)])


def only(report: LoadReport, name: str) -> Definition:
    (found,) = (each for each in report.definitions if each.name == name)
    return found


@pytest.mark.parametrize("server", ["fresh_database", "fresh_database15"])
def test_nothing_of_it_is_left_or_within_reach(server: str, request: pytest.FixtureRequest) -> None:
    database: FreshDatabase = request.getfixturevalue(server)
    attempts = {
        "select _trigger_audit_log.note()": "42501",
        "drop schema _trigger_audit_log cascade": "42501",
        "drop function _trigger_audit_log.note": "42501",
        "insert into _trigger_audit_log.entry (classid, objid, made) values (0, 0, true)": "42501",
        "delete from _trigger_audit_log.entry": "42501",
        "create function _trigger_audit_log.mine() returns int language sql as 'select 1'": "42501",
        "create or replace function _trigger_audit_log.note() returns event_trigger language plpgsql as 'begin end'": (
            "42501"
        ),
        "create trigger t before insert on _trigger_audit_log.entry execute function public.f()": "42501",
        # By the name that any role can look up, in a block, which has no superuser's rights.
        "do $$ begin execute (select format('drop event trigger %I', evtname) from pg_event_trigger "
        "where evtname ~ '^_trigger_audit_[0-9a-f]{16}$'); end $$": "42501",
        "do $$ begin execute (select format('alter event trigger %I disable', evtname) from pg_event_trigger "
        "where evtname ~ '^_trigger_audit_[0-9a-f]{16}$'); end $$": "42501",
    }
    before = f"create function public.f() {BODY};"
    report = load(database, before, *attempts, f"\ncreate or replace function public.f() {BODY};")
    assert {each.statement: each.sqlstate for each in report.failed} == attempts
    assert (only(report, "public.f()").file, only(report, "public.f()").line) == (f"{len(attempts) + 2}.sql", 2)
    with psycopg.connect(database.conninfo()) as connection:
        left = connection.execute(
            "select (select count(*) from pg_namespace where nspname ~ '_trigger_audit'),"
            " (select count(*) from pg_event_trigger where evtname ~ '_trigger_audit'),"
            " (select count(*) from pg_proc where proname = 'note')"
        ).fetchone()
    assert left == (0, 0, 0)


def test_no_code_of_the_project_runs_in_it(fresh_database: FreshDatabase) -> None:
    """The log's function has the superuser's rights: a project's own functions and operators are not for it."""
    report = load(
        fresh_database,
        "create table public.ran (who text); grant all on public.ran to public;"
        "create function public.watched(name) returns boolean language plpgsql as "
        "$$ begin insert into public.ran values (current_user); return true; end $$;",
        "create function public.left(text, int) returns text language sql as "
        "$$ select public.watched('a')::text $$;"
        "create function public.current_query() returns text language sql as $$ select public.watched('a')::text $$;"
        "create function public.shadow(text, text) returns boolean language sql as $$ select public.watched('a') $$;"
        "create operator public.~ (function = public.shadow, leftarg = text, rightarg = text);"
        "create function public.same(oid, oid) returns boolean language sql as $$ select public.watched('a') $$;"
        "create operator public.= (function = public.same, leftarg = oid, rightarg = oid);"
        "create temporary table entry (a int); create temporary table pg_trigger (a int);",
        "set search_path = public, pg_catalog; create table public.t (a int); alter table public.t add b int;"
        "create function public.g() returns int language sql as 'select 1';",
    )
    assert report.failed == ()
    assert only(report, "public.g()").file == "3.sql"
    with psycopg.connect(fresh_database.conninfo()) as connection:
        assert connection.execute("select count(*) from public.ran").fetchone() == (0,)


def test_a_literal_drop_of_its_event_trigger_finds_no_name(fresh_database: FreshDatabase) -> None:
    """A statement that names an event trigger runs with the superuser's rights: the name is another one each time."""
    report = load(
        fresh_database,
        "create event trigger mine on ddl_command_end execute function _trigger_audit_log.note();",
        "drop event trigger _trigger_audit;",
        f"create function public.f() {BODY};",
    )
    assert [each.sqlstate for each in report.failed] == ["42704"]
    assert only(report, "public.f()").file == "3.sql"


def test_a_name_like_ours_lets_no_event_trigger_run_as_the_superuser(fresh_database: FreshDatabase) -> None:
    """Those of a project are silenced while an extension's script runs, ours are not: told apart by their function."""
    load(
        fresh_database,
        "create table public.ran (who text); grant all on public.ran to public;"
        "create function public.watch() returns event_trigger language plpgsql as "
        "$$ begin insert into public.ran values (current_user); end $$;"
        "create event trigger _trigger_audit_mine on ddl_command_end execute function public.watch();"
        "do $$ begin create extension citext; end $$; create table public.t (a int);",
    )
    with psycopg.connect(fresh_database.conninfo()) as connection:
        assert connection.execute("select distinct who from public.ran").fetchall() == [("postgres",)]


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_nobody_else_writes_into_the_log(request: pytest.FixtureRequest, database: str) -> None:
    """Before 16 a role with CREATEROLE gives itself any other; postgres does read the log, by pg_read_all_data."""
    report = load(
        request.getfixturevalue(database),
        "select 1;",
        f"create function public.f() {BODY};",
        "grant pg_write_all_data to postgres;",
        "insert into _trigger_audit_log.entry (statement, classid, objid, made)"
        "select 1, classid, objid, true from _trigger_audit_log.entry where classid = 'pg_proc'::regclass;",
        "update _trigger_audit_log.entry set statement = 1;",
        "delete from _trigger_audit_log.entry;",
        "select pg_catalog.setval('_trigger_audit_log.entry_number_seq', 1);",
        "insert into _trigger_audit.silenced values ('a');",
        "create table public.seen as select * from _trigger_audit_log.entry;",
    )
    assert [each.file for each in report.failed] == ["3.sql", "4.sql", "5.sql", "6.sql", "7.sql", "8.sql"]
    assert only(report, "public.f()").file == "2.sql"


def test_where_a_statement_fails(fresh_database: FreshDatabase) -> None:
    report = load(fresh_database, "select 1; select\n  'ä', nosuch;\r\nselect 2;  selec 3;drop table nosuch;")
    assert [(each.line, each.column) for each in report.failed] == [(2, 8), (3, 12), (3, 20)]
