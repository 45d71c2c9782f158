"""What hosted Supabase refuses, and what a dump of a whole database brings along, by the statement alone."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import FreshDatabase
from trigger_audit.sandbox.hosted import of_platform, refusal_when_hosted, refused_when_hosted
from trigger_audit.sandbox.migrations import LoadReport, load_files
from trigger_audit.sandbox.project import SqlFile

REFUSED = {
    "create index on auth.users (email)": "auth.users",
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY "storage"."objects" (name)': "storage.objects",
    "alter table if exists only storage.objects enable row level security": "storage.objects",
    "comment on table realtime.messages is 'x'": "realtime.messages",
    "comment on column auth.users.email is 'x'": "auth.users",
    "create or replace function auth.f() returns void language sql as ''": "auth.f",
    "create table if not exists auth.t (a int)": "auth.t",
    "create materialized view auth.v as select 1": "auth.v",
    "create or replace recursive view auth.v (a) as select 1": "auth.v",
    "drop materialized view if exists auth.v": "auth.v",
    "drop function if exists auth.f(text)": "auth.f",
    "drop index concurrently if exists auth.i": "auth.i",
    "alter function auth.f() owner to postgres": "auth.f",
    "create rule r as on insert to auth.users do nothing": "auth.users",
    "drop rule r on auth.users": "auth.users",
    "drop table public.t, auth.users cascade": "auth.users",
    "drop function public.f(int, text), auth.uid() cascade": "auth.uid",
    "copy auth.schema_migrations (version) from stdin": "auth.schema_migrations",
    "truncate table only public.t, auth.schema_migrations": "auth.schema_migrations",
    "update only storage.migrations set name = name": "storage.migrations",
}
TAKEN = (
    "create trigger t after insert on auth.users for each row execute function public.f()",
    "drop trigger if exists t on auth.users",
    "create policy p on storage.objects for select using (true)",
    "create table public.t (id uuid references auth.users)",
    "create index on public.auth (users)",
    "create function public.f() returns auth.users language sql as ''",
    "grant select on auth.users to postgres",
    "insert into auth.users values (1)",
    "insert into public.schema_migrations values ('auth.schema_migrations')",
    "copy auth.schema_migrations to stdout",
    "truncate auth.users cascade",
    "drop trigger index on auth.users, auth.users",
    "drop table if exists public.a, auth.mine",
    "drop rule if exists r on auth.users",
    "revoke all on auth.users from anon, authenticated",
    "revoke supabase_auth_admin from postgres",
    "revoke select on public.t from supabase_auth_admin",
    "revoke on",
    "set search_path = auth",
    "set role authenticated",
    "set",
    "alter table public.t owner to postgres",
    "create index",
    "",
    "\\",
)
PLATFORM = {
    "create schema auth": "auth",
    "create schema if not exists extensions authorization postgres": "extensions",
    "create table auth.users (id uuid)": "auth.users",
    "alter table only vault.secrets add constraint secrets_pkey primary key (id)": "vault.secrets",
    "create publication supabase_realtime": "supabase_realtime",
}
OF_PROJECT = (
    "create schema private",
    "create schema",
    "create table extensions.t (a int)",
    "create publication p",
    "create trigger t after insert on auth.users for each row execute function public.f()",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_refused(statement: str) -> None:
    assert refused_when_hosted(statement) == (REFUSED[statement],)


@pytest.mark.parametrize("statement", TAKEN)
def test_taken(statement: str) -> None:
    assert refusal_when_hosted("a.sql", 1, 1, statement, ()) is None


@pytest.mark.parametrize("statement", PLATFORM)
def test_of_the_platform(statement: str) -> None:
    assert of_platform(statement) == PLATFORM[statement]


@pytest.mark.parametrize("statement", OF_PROJECT)
def test_of_the_project(statement: str) -> None:
    assert of_platform(statement) is None


def loaded(database: FreshDatabase, text: str) -> LoadReport:
    return load_files(database.conninfo(), [SqlFile("1.sql", text)])


# Each by the rules of PostgreSQL alone: postgres owns nothing of a service's, and is no member of its owner.
BY_OWNERSHIP = {
    "drop table auth.users cascade": (("auth.users",), True),
    "alter table auth.users rename to people": (("auth.users",), True),
    "alter table auth.users set schema public": (("auth.users",), True),
    "alter table auth.users rename column phone to telephone": (("auth.users",), False),
    "drop table auth.sessions cascade": (("auth.sessions",), True),
    "drop table if exists public.absent, auth.absent, storage.objects cascade": (("storage.objects",), True),
    "drop function auth.uid() cascade": (("auth.uid",), False),
    "drop index auth.users_email_partial_key": (("auth.users_email_partial_key",), False),
    "create rule r as on insert to auth.users do also select 1": (("auth.users",), False),
    "insert into auth.schema_migrations values ('1'), ('2')": (("auth.schema_migrations",), False),
    "delete from auth.schema_migrations": (("auth.schema_migrations",), False),
    "truncate auth.schema_migrations": (("auth.schema_migrations",), False),
    "alter table public.mine owner to supabase_auth_admin": ((), False),
    "set local role supabase_auth_admin": ((), False),
    "set role 'supabase_storage_admin'": ((), False),
}


@pytest.mark.parametrize("statement", BY_OWNERSHIP)
def test_the_server_refuses_it_to_a_postgres_who_is_no_member(fresh_database: FreshDatabase, statement: str) -> None:
    fresh_database.apply("create table public.mine (id int); grant create on schema public to supabase_auth_admin")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fresh_database.apply(statement)
    report = loaded(fresh_database, f"-- first\n  {statement};\nselect 1;")
    assert (report.failed, report.applied) == ((), 2)
    (refusal,) = report.hosted
    assert (refusal.file, refusal.line, refusal.column) == ("1.sql", 2, 3)
    assert (refusal.objects, refusal.takes) == BY_OWNERSHIP[statement]


def test_what_postgres_revokes_from_a_tables_owner_stays_on_the_platform(fresh_database: FreshDatabase) -> None:
    statement = "revoke all on auth.users from supabase_auth_admin"
    fresh_database.apply(statement)
    fresh_database.apply("select from auth.users", role="supabase_auth_admin")
    (refusal,) = loaded(fresh_database, statement).hosted
    assert refusal.words == (
        "it changes nothing on hosted Supabase: postgres may not revoke rights on auth.users from supabase_auth_admin"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fresh_database.apply("select from auth.users", role="supabase_auth_admin")


def test_postgres_may_empty_auth_users(fresh_database: FreshDatabase) -> None:
    fresh_database.apply("truncate auth.users cascade")
    assert loaded(fresh_database, "truncate auth.users cascade").hosted == ()


def test_what_is_not_applied_is_not_told_twice(fresh_database: FreshDatabase) -> None:
    report = loaded(
        fresh_database,
        "create index on auth.users (absent); create index on auth.users (email); create table auth.users (id uuid);"
        "drop function if exists auth.absent();",
    )
    assert [each.statement for each in report.failed] == ["create index on auth.users (absent)"]
    assert [each.column for each in report.hosted] == [38]
