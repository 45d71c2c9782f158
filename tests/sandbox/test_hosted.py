"""What hosted Supabase refuses, and what a dump of a whole database brings along, by the statement alone."""

from __future__ import annotations

import pytest

from trigger_audit.sandbox.hosted import of_platform, refused_when_hosted

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
    assert refused_when_hosted(statement) == REFUSED[statement]


@pytest.mark.parametrize("statement", TAKEN)
def test_taken(statement: str) -> None:
    assert refused_when_hosted(statement) is None


@pytest.mark.parametrize("statement", PLATFORM)
def test_of_the_platform(statement: str) -> None:
    assert of_platform(statement) == PLATFORM[statement]


@pytest.mark.parametrize("statement", OF_PROJECT)
def test_of_the_project(statement: str) -> None:
    assert of_platform(statement) is None
