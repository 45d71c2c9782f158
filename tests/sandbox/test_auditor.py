"""The session that audits a loaded sandbox: what it may, what Auth's role keeps, and what no code of a project may."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trigger_audit.errors import TriggerAuditError
from trigger_audit.opening import OpenTarget, SqlInput, sandbox_with
from trigger_audit.pipeline import SmokeOptions, scan, smoke
from trigger_audit.rules.registry import all_rules
from trigger_audit.sandbox.project import SqlFile
from trigger_audit.smoke.model import By, Outcome

PROJECT = """
create table public.seen (who text, login text, superuser text);
create function public.note() returns trigger language plpgsql as $$
begin
  raise exception '% % %', current_user, session_user, current_setting('is_superuser');
end $$;
create trigger note after insert on auth.users for each row execute function public.note();
"""

INVOKER = """
create table public.profiles (id uuid primary key);
create function public.make() returns trigger language plpgsql as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end $$;
create trigger make after insert on auth.users for each row execute function public.make();
"""

# Run while a statement is parsed, and while a query is planned.
ESCAPES = """
create function public.shell(text) returns boolean language plpgsql as $$
begin
  execute 'copy (select 1) to program ''touch {file}''';
  return true;
exception when insufficient_privilege then
  return true;
end $$;
create function public.fixed(text) returns boolean language plpgsql immutable as $$
begin return public.shell($1); end $$;
create domain public.checked as text check (public.shell(value));
create table public.profiles (
  id uuid primary key references auth.users on delete cascade, role text default 'user', tags public.checked[]
);
create index on public.profiles (id) where public.fixed('x');
create function public.make() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, role, tags) values (new.id, new.raw_user_meta_data ->> 'role', '{{a}}');
  return new;
end $$;
create trigger make after insert on auth.users for each row execute function public.make();
"""


@pytest.fixture(params=[False, True], ids=["own", "15"])
def postgres(request: pytest.FixtureRequest) -> Path | None:
    return request.getfixturevalue("postgres15_binaries") if request.param else None


def opened(sql: str, postgres: Path | None) -> Iterator[OpenTarget]:
    files = SqlInput((SqlFile("a.sql", sql),))
    with sandbox_with(files, ["a.sql"], postgres=postgres, progress=lambda text: None) as target:
        assert target.not_applied == ()
        yield target


def test_statements_run_as_in_a_session_of_auth(postgres: Path | None) -> None:
    for target in opened(PROJECT, postgres):
        assert not target.server.is_superuser
        report = smoke(target.connection, target.info, SmokeOptions(flows=("signup-email",))).report
        assert (report.session.by, report.session.role, report.session.gaps) == (By.LOGIN, "supabase_auth_admin", ())
        for result in report.flows:
            assert result.failed_step is not None
            assert result.failed_step.message == "supabase_auth_admin supabase_auth_admin off"
            assert [culprit.name for culprit in result.culprits] == ["auth.users.note"]
        assert {toggle.method for toggle in report.toggles} == {"function-noop"}


def test_auths_role_has_none_of_the_auditing_roles_rights(postgres: Path | None) -> None:
    for target in opened(INVOKER, postgres):
        findings = scan(target.connection, target.info, all_rules()).findings
        assert "TA104" in {finding.rule for finding in findings}
        report = smoke(target.connection, target.info, SmokeOptions(flows=("signup-email",))).report
        for result in report.flows:
            assert result.outcome is Outcome.FAIL
            assert result.failed_step is not None
            assert result.failed_step.sqlstate == "42501"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's account can write to; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_no_code_of_the_project_reaches_a_program(postgres: Path | None, open_folder: Path) -> None:
    file = open_folder / "reached"
    for target in opened(ESCAPES.format(file=file), postgres):
        scan(target.connection, target.info, all_rules())
        options = SmokeOptions(allow_side_effects=True, allow_locks=True, unmask=True)
        report = smoke(target.connection, target.info, options).report
        assert report.summary["pass"] + report.summary["altered"] == len(report.flows)
    assert not file.exists()


@pytest.mark.parametrize("role", ["pg_execute_server_program", "pg_write_server_files", "pg_read_server_files"])
def test_no_role_of_the_sandbox_reaches_files_and_programs(postgres: Path | None, role: str) -> None:
    sql = SqlInput((SqlFile("a.sql", f"create table public.t (id int);\ngrant {role} to postgres;"),))
    with sandbox_with(sql, ["a.sql"], postgres=postgres, progress=lambda text: None) as target:
        (refused,) = target.not_applied
    assert refused.line == 2
    assert "42704" in refused.reason


# What would keep a login from being made, from being the one it is, or from living long enough.
SETTINGS = """
alter database postgres set role = 'anon';
alter database postgres set session_authorization = 'postgres';
alter database postgres set statement_timeout = '1ms';
alter database postgres set lock_timeout = '1ms';
alter database postgres set idle_session_timeout = '1ms';
alter database postgres set idle_in_transaction_session_timeout = '1ms';
alter database postgres set local_preload_libraries = 'no_such_library';
alter database postgres set client_encoding = 'latin1';
alter database postgres set standard_conforming_strings = off;
alter database postgres set quote_all_identifiers = on;
alter database postgres set check_function_bodies = off;
alter database postgres set row_security = off;
alter database postgres set search_path = 'nowhere';
alter database postgres set client_min_messages = 'error';
alter database postgres set array_nulls = off;
alter database postgres connection limit 0;
revoke connect on database postgres from public;
alter role all in database postgres set datestyle = 'SQL, DMY';
select cron.schedule('nightly', '0 0 * * *', 'select 1');
"""


def test_what_the_files_set_for_the_database(postgres: Path | None) -> None:
    """Also the login that adds an extension on the way, which starts with what stands before it."""
    for target in opened(INVOKER + SETTINGS, postgres):
        assert "TA104" in {finding.rule for finding in scan(target.connection, target.info, all_rules()).findings}
        report = smoke(target.connection, target.info, SmokeOptions(flows=("signup-email",))).report
        assert [result.failed_step and result.failed_step.sqlstate for result in report.flows] == ["42501"] * len(
            report.flows
        )


def test_a_database_that_only_reads_is_scanned(postgres: Path | None) -> None:
    only_reads = "alter database postgres set default_transaction_read_only = on;"
    for target in opened(INVOKER + only_reads, postgres):
        assert "TA104" in {finding.rule for finding in scan(target.connection, target.info, all_rules()).findings}
        with pytest.raises(TriggerAuditError, match="default_transaction_read_only"):
            smoke(target.connection, target.info, SmokeOptions(flows=("signup-email",)))


def test_triggers_stay_on_in_auths_sessions(postgres: Path | None) -> None:
    """On the platform postgres may not set that for the database; who loads a dump sets it in his own session."""
    text = "alter database postgres set session_replication_role = replica;"
    if postgres is not None:  # CREATEROLE is enough before 16
        for place in ("", " in database postgres"):
            text += f"alter role supabase_auth_admin{place} set session_replication_role = replica;"
        text += "alter role supabase_auth_admin nologin connection limit 0 valid until '2001-01-01';"
    for target in opened(PROJECT + text, postgres):
        assert target.loaded is not None
        assert any("session_replication_role" in note for note in target.loaded.notes)
        report = smoke(target.connection, target.info, SmokeOptions(flows=("signup-email",))).report
        assert {result.outcome for result in report.flows} == {Outcome.FAIL}


def test_a_role_of_the_platform_that_is_gone(postgres15_binaries: Path) -> None:
    """Before 16 CREATEROLE renames every role that is no superuser's."""
    with pytest.raises(TriggerAuditError, match='role "supabase_auth_admin" does not exist'):
        next(opened(PROJECT + "alter role supabase_auth_admin rename to gone;", postgres15_binaries))
