"""`trigger-audit scan` as a user runs it: targets, options, exit codes, streams."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from tests.cli.running import run
from tests.conftest import FreshDatabase

FAULTY = """
create table public.profiles (id uuid primary key references auth.users on delete cascade, name text not null);
create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""
SOUND = FAULTY.replace("name text not null", "name text")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with one faulty migration."""
    migrations = tmp_path / "supabase" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "20260101000000_init.sql").write_text(FAULTY)
    return tmp_path


def test_a_database_by_argument_and_by_variable(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    fresh_database.apply(FAULTY)
    dsn = fresh_database.conninfo()
    by_argument = run("scan", dsn, "--format", "concise", cwd=tmp_path)
    assert by_argument.code == 1
    assert by_argument.out.startswith("public.handle_new_user():3:15: error TA106 ")
    by_variable = run("scan", "--format", "concise", env={"DATABASE_URL": dsn}, cwd=tmp_path)
    assert by_variable.out == by_argument.out
    assert by_variable.err.splitlines()[0].startswith("target: ")
    assert "DATABASE_URL" in by_variable.err.splitlines()[0]


def test_the_same_bytes_twice(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(FAULTY)
    runs = [run("scan", fresh_database.conninfo(), "--format", "json").out for _ in range(2)]
    assert runs[0] == runs[1]
    assert json.loads(runs[0])["summary"]["error"] == 1


def test_a_project_folder_its_supabase_folder_its_migrations_and_its_file_give_the_same(project: Path) -> None:
    migrations = project / "supabase" / "migrations"
    paths = (project, project / "supabase", migrations, migrations / "20260101000000_init.sql")
    outs = [run("scan", str(path), "--format", "concise") for path in paths]
    assert {found.out for found in outs} == {outs[0].out}
    assert "TA106" in outs[0].out
    around = run("scan", "--format", "concise", cwd=project / "supabase" / "migrations")
    # Named as it is seen from there.
    assert around.out == outs[0].out.replace(f"{project}/", "../../")


def test_standard_input_and_several_files(tmp_path: Path) -> None:
    assert "TA106" in run("scan", "-", "--format", "concise", stdin=FAULTY).out
    table, rest = FAULTY.split("create function", 1)
    (tmp_path / "b.sql").write_text(table)
    (tmp_path / "a.sql").write_text("create function" + rest)
    in_order = run("scan", str(tmp_path / "b.sql"), str(tmp_path / "a.sql"), "--format", "concise")
    assert "TA106" in in_order.out


def test_exit_codes(project: Path) -> None:
    path = str(project)
    assert run("scan", path).code == 1
    assert run("scan", path, "--exit-zero").code == 0
    assert run("scan", path, "--fail-on", "never").code == 0
    assert run("scan", path, "--ignore", "TA1").code == 0
    assert run("scan", path, "--select", "TA5").code == 0
    assert run("scan", path, "--select", "not-null-omitted").code == 1
    assert run("scan", "-", stdin=SOUND).code == 0
    assert run("scan", "-", "--fail-on", "info", stdin=SOUND).code == 1


def test_findings_go_to_stdout_and_the_rest_to_stderr(project: Path) -> None:
    found = run("scan", str(project))
    assert "error[TA106]" in found.out
    assert "\x1b" not in found.out + found.err
    assert "TA106" not in found.err
    assert "\r" not in found.err
    forced = run("scan", str(project), env={"FORCE_COLOR": "1", "NO_COLOR": ""})
    assert "\x1b[1;31merror[TA106]" in forced.out
    assert "\x1b" not in run("scan", str(project), env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out


def test_reports_in_files(project: Path, tmp_path: Path) -> None:
    report, lines = tmp_path / "report.json", tmp_path / "lines.txt"
    found = run("scan", str(project), "--output", f"json={report}", "-o", f"concise={lines}")
    assert json.loads(report.read_text())["findings"][0]["rule"] == "TA106"
    assert lines.read_text().count("\n") == 1
    assert "error[TA106]" in found.out


@pytest.mark.parametrize("value", ["xml=report", "json=", "/nonexistent/folder/report.json"])
def test_an_output_that_cannot_be_is_refused_before_the_work(value: str) -> None:
    found = run("scan", "-", "--output", value, stdin=SOUND)
    assert found.code == 2
    assert "--output" in found.error


def test_other_tables(fresh_database: FreshDatabase) -> None:
    fresh_database.apply("""
        create table public.orders (id int primary key, note text);
        create function public.note_order() returns trigger language plpgsql as $$
        begin
          update public.orders set note = 'x';
          return null;
        end $$;
        create trigger note_order after insert on public.orders for each row execute function public.note_order();
    """)
    dsn = fresh_database.conninfo()
    assert "TA401" not in run("scan", dsn, "--format", "concise").out
    assert "TA401" in run("scan", dsn, "--format", "concise", "--table", "public.orders").out
    assert "TA401" in run("scan", dsn, "--format", "concise", "--table", "orders").out
    assert "TA401" in run("scan", dsn, "--format", "concise", "--all-tables").out
    as_anon = run("scan", dsn, "--table", "public.orders", "--as-role", "authenticator", "--format", "concise")
    assert "TA104 authenticator may not do this" in as_anon.out
    unknown = run("scan", dsn, "--table", "public.ordres")
    assert (unknown.code, "public.orders" in unknown.error) == (2, True)
    assert run("scan", dsn, "--as-role", "nobody_here").code == 2


def test_a_scan_spends_no_transaction_id(fresh_database: FreshDatabase) -> None:
    with psycopg.connect(fresh_database.conninfo(), autocommit=True) as connection:
        fresh_database.apply(FAULTY)

        def next_id() -> object:
            row = connection.execute("select pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
            assert row is not None
            return row[0]

        before = next_id()
        assert run("scan", fresh_database.conninfo()).code == 1
        assert next_id() == before, "only what writes is given a transaction id"


def test_help_version_and_completion() -> None:
    assert run("--version").out.startswith("trigger-audit ")
    assert run("-V").out == run("--version").out
    for command in ("scan", "smoke", "rule", "demo"):
        assert command in run("--help").out
        assert run(command, "--help").code == 0
    shown = run("--show-completion", "bash")
    assert shown.code == 0
    assert "=complete_bash $1" in shown.out


def test_rule_lists_and_explains() -> None:
    listed = run("rule", fresh=True)
    assert listed.code == 0
    assert "TA107" in listed.out
    page = run("rule", "ta107")
    assert "nullable-into-not-null" in page.out
    assert "coalesce(new.raw_user_meta_data" in page.out
    assert run("rule", "nullable-into-not-null").out == page.out
    wrong = run("rule", "TA999")
    assert wrong.code == 2
    assert "TA999" in wrong.error
