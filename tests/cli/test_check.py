"""`trigger-audit check` as a job of a pull request runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.check.repositories import Made, made_repository
from tests.check.test_run import FAULTY, SOUND, TABLE, TRIGGER
from tests.cli.running import run


@pytest.fixture
def repository(tmp_path: Path) -> Made:
    made = made_repository(tmp_path / "app")
    made.write("supabase/migrations/1_first.sql", TABLE + SOUND + TRIGGER)
    made.commit()
    return made


def test_a_branch_that_breaks_the_sign_up_fails_the_job(repository: Made) -> None:
    repository.write("supabase/migrations/2_second.sql", FAULTY)
    done = run("check", "--base", "main", "--output", "json=../report.json", cwd=repository.top)
    assert done.code == 1
    assert 'relation "public.profile" does not exist' in done.out
    assert "supabase/migrations/2_second.sql:4" in done.out
    assert "compared with main" in done.out
    report = json.loads((repository.top.parent / "report.json").read_text())
    assert report["base"] == {"ref": "main", "commit": repository.git("rev-parse", "HEAD")}
    (fingerprint,) = report["added"]
    (finding,) = (each for each in report["scan"]["findings"] if each["fingerprint"] == fingerprint)
    assert (finding["rule"], finding["file"], finding["file_line"]) == ("TA101", "supabase/migrations/2_second.sql", 4)


def test_a_branch_that_breaks_nothing_passes(repository: Made) -> None:
    repository.write("supabase/migrations/2_second.sql", "create table public.more (id int);\n")
    done = run("check", "--base", "main", cwd=repository.top)
    assert (done.code, done.err) == (0, f"target: . (from the project found at {repository.top})\n")


def test_a_broken_migration_fails_the_job_and_its_lack_of_a_dashboard_does_not(repository: Made) -> None:
    repository.write("supabase/migrations/2_second.sql", "create table public.more (id int;\n")
    done = run("check", cwd=repository.top)
    assert done.code == 1
    assert "supabase/migrations/2_second.sql:1" in done.out
    repository.write("supabase/migrations/2_second.sql", "alter table public.of_the_dashboard add x int;\n")
    done = run("check", cwd=repository.top)
    assert done.code == 0
    assert 'relation "public.of_the_dashboard" does not exist' in done.out
    assert run("check", "--strict", cwd=repository.top).code == 1


@pytest.mark.parametrize(("option", "code"), [("--exit-zero", 0), ("--fail-on=never", 0), ("--fail-on=error", 1)])
def test_what_fails_the_job_is_to_be_chosen(repository: Made, option: str, code: int) -> None:
    repository.write("supabase/migrations/2_second.sql", FAULTY)
    assert run("check", option, "-q", "--format", "concise", cwd=repository.top).code == code


def test_a_database_in_the_environment_is_not_looked_at(repository: Made) -> None:
    done = run("check", cwd=repository.top, env={"DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/x"})
    assert done.code == 0
    assert "secret" not in done.err + done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["postgresql://nobody:secret@127.0.0.1:1/x"], "check judges migrations, and this is a database"),
        (["absent"], "there is no file or folder absent (give .sql files, a folder of migrations or a project"),
        (["--base", ""], "--base is empty"),
        (["--base", "develop"], "git knows no revision 'develop'"),
        (["--base", "main", "-"], "standard input has no history"),
        ([""], "an argument is empty"),
        (["--select", "TA999"], "TA999"),
    ],
)
def test_what_cannot_be_meant_is_one_line(repository: Made, arguments: list[str], words: str) -> None:
    done = run("check", *arguments, cwd=repository.top)
    assert (done.code, done.out) == (2, "")
    assert words in done.error
    assert "secret" not in done.err


def test_no_git_on_the_path(repository: Made, tmp_path: Path) -> None:
    done = run("check", "--base", "main", cwd=repository.top, env={"PATH": str(tmp_path)})
    assert done.code == 2
    assert "--base needs git" in done.error


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "1_first.sql").write_text(TABLE)
    done = run("check", ".", "--base", "main", cwd=tmp_path)
    assert done.code == 2
    assert "is in no git repository" in done.error


def test_a_file_in_latin_1_is_named_with_its_byte(repository: Made) -> None:
    (repository.top / "supabase/migrations/2_x.sql").write_bytes("select 1;\n-- Größe".encode("latin-1"))
    done = run("check", cwd=repository.top)
    assert done.code == 2
    assert "2_x.sql is not UTF-8: byte 0xf6 in line 2" in done.error


def test_line_ends_of_windows_change_nothing(repository: Made) -> None:
    repository.write("supabase/migrations/1_first.sql", (TABLE + SOUND + TRIGGER).replace("\n", "\r\n"))
    repository.write("supabase/migrations/2_second.sql", FAULTY.replace("\n", "\r\n"))
    done = run("check", "--base", "main", "--format", "concise", "-q", cwd=repository.top)
    assert done.code == 1
    assert done.out.startswith("supabase/migrations/2_second.sql:4:15: error TA101")


def test_where_smoke_refuses_the_findings_are_printed_and_the_code_is_2(repository: Made) -> None:
    outside = "  perform extensions.dblink_exec('dbname=other', 'insert into t values (1)');\n  return new;"
    text = "create extension dblink with schema extensions;\n" + FAULTY.replace("  return new;", outside)
    repository.write("supabase/migrations/2_second.sql", text)
    done = run("check", "--format", "concise", cwd=repository.top)
    assert done.code == 2
    assert "TA101" in done.out
    assert "dblink_exec" in done.error


def test_settings_show_and_nothing_runs(repository: Made) -> None:
    (repository.top / "trigger-audit.toml").write_text('ignore = ["TA301"]\n')
    done = run("check", "--show-settings", cwd=repository.top)
    assert done.code == 0
    assert 'ignore = ["TA301"]' in done.out


def test_a_dump_of_twenty_megabytes(repository: Made) -> None:
    rows = "".join(
        f"{number}\tsome text that makes the row a little longer than it would be\n" for number in range(300_000)
    )
    table = "create table public.big (id int, what text);\n"
    text = f"{table}COPY public.big (id, what) FROM stdin;\n{rows}\\.\n\n{FAULTY}"
    assert len(text) > 20_000_000
    repository.write("supabase/migrations/2_second.sql", text)
    done = run("check", "--format", "concise", "-q", cwd=repository.top)
    assert done.code == 1
    assert f"2_second.sql:{text.count(chr(10), 0, text.index('insert into')) + 1}:15: error TA101" in done.out


def test_what_hosted_supabase_refuses_stands_at_its_line_and_counts_with_strict(repository: Made) -> None:
    repository.write("supabase/migrations/2_second.sql", "select 1;\n  create index on auth.users (created_at);\n")
    reason = "hosted Supabase refuses it: postgres may not change auth.users like this (it was applied here)"
    done = run("check", "--base", "main", "-q", "--format", "concise", "--output", "json=../r.json", cwd=repository.top)
    assert done.code == 0
    assert "hosted Supabase" not in done.err
    assert f"supabase/migrations/2_second.sql:2:3: not analysed: {reason}" in done.out.splitlines()
    report = json.loads((repository.top.parent / "r.json").read_text())
    assert report["broken"] == []
    assert [(item["file_line"], item["reason"]) for item in report["not_analysed"]] == [(2, reason)]
    strict = run("check", "--base", "main", "--strict", "--format", "github", cwd=repository.top)
    assert strict.code == 1
    assert "file=supabase/migrations/2_second.sql,line=2" in strict.out
    assert "hosted Supabase" not in strict.err
    repository.commit()
    assert run("check", "--base", "main", "--strict", "-q", cwd=repository.top).code == 0


@pytest.mark.parametrize("statement", ["drop table auth.users cascade", "alter table auth.users rename to people"])
def test_who_took_auth_users_away_is_named(repository: Made, statement: str) -> None:
    repository.write("supabase/migrations/2_second.sql", f"select 1;\n{statement};\n")
    done = run("check", cwd=repository.top)
    assert done.code == 2
    assert done.error == (
        "error: no auth.users here: the statement at supabase/migrations/2_second.sql:2 drops or renames it, "
        "which hosted Supabase refuses (take it out)"
    )
