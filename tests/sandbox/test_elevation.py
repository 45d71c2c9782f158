"""Which statements of a migration run with the superuser's rights: none that holds an expression."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import FreshDatabase
from trigger_audit.sandbox.elevation import may_be_elevated
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile

ELEVATED = (
    "create extension if not exists x with schema y cascade",
    "alter extension x update",
    "alter extension x set schema y",
    "comment on extension x is 'a'",
    "drop extension x",
    "alter role postgres set a.b = 'c'",
    "alter user anon reset all",
    "alter database postgres set x.y to 'z'",
    "create event trigger a on ddl_command_end when tag in ('CREATE TABLE') execute function f()",
    "alter event trigger a enable",
    "drop event trigger a",
    "create publication p for all tables",
    "create publication p for table x (a), tables in schema y with (publish = 'insert')",
    "alter publication p add table x",
)
NOT_ELEVATED = (
    "create publication p for table x where (n > 1)",
    "create publication p for tables in schema y, table x where (n = ('{1}'::public.d[])[1])",
    "alter publication p set table x (n) where (n > 1)",
    "alter extension x add function f()",
    "create extension x; drop table y",
    "drop table x",
    "comment on table x is 'a'",
    "create publication p for",
    "select 1",
    "",
)


@pytest.mark.parametrize("statement", ELEVATED)
def test_what_runs_with_the_superusers_rights(statement: str) -> None:
    assert may_be_elevated(statement)


@pytest.mark.parametrize("statement", NOT_ELEVATED)
def test_what_does_not(statement: str) -> None:
    assert not may_be_elevated(statement)


# Refused to whom it can do nothing for, so that the statement is tried with more rights where there are any.
PUBLICATION = """
CREATE FUNCTION public.evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'no' USING ERRCODE = '42501';
  END IF;
  COPY (SELECT current_user) TO PROGRAM 'cat > {folder}/written';
  RETURN true;
END $$;
CREATE DOMAIN public.checked AS int CHECK (public.evil());
CREATE TABLE public.things (n int PRIMARY KEY);
CREATE PUBLICATION filtered FOR TABLE public.things WHERE (n = ('{1}'::public.checked[])[1]);
CREATE PUBLICATION whole FOR ALL TABLES;
CREATE PUBLICATION plain FOR TABLE public.things WHERE (n > 1);
"""


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_a_row_filter(request: pytest.FixtureRequest, database: str, folder: Path) -> None:
    target: FreshDatabase = request.getfixturevalue(database)
    report = load_files(target.conninfo(), [SqlFile("a.sql", PUBLICATION.replace("{folder}", str(folder)))])
    assert [(failed.line, failed.sqlstate) for failed in report.failed] == [(12, "42501")]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_two_statements_that_look_like_one(request: pytest.FixtureRequest, database: str, folder: Path) -> None:
    """What ends a string is the same for who judges the statement and for who runs it."""
    target: FreshDatabase = request.getfixturevalue(database)
    text = rf"""
        SET standard_conforming_strings = off;
        CREATE TABLE public.kept (n int);
        ALTER DATABASE {target.name} SET "audit.x" = 'a\'; COPY (SELECT 1) TO PROGRAM ''touch {folder}/written''; --';
    """
    load_files(target.conninfo(), [SqlFile("a.sql", text)])
    assert list(folder.iterdir()) == []
