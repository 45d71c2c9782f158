"""The session that audits a loaded sandbox: what it may, what Auth's role keeps, and what no code of a project may."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
