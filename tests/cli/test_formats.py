"""Several reports of one run, and the summary of a job."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.running import Run, run
from tests.report.hostile import commands

PROJECT = """
create table public.profiles (id uuid primary key references auth.users on delete cascade, email text not null);
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profile (id) values (new.id);
  return new;
end $$;
create trigger on_auth_user_created after insert on auth.users for each row execute function public.handle_new_user();
"""
FILES = {"sarif": "a.sarif", "gitlab": "b.json", "junit": "c.xml", "markdown": "d.md", "json": "e.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1.sql").write_text(PROJECT)
    return tmp_path


def ran(folder: Path, *arguments: str, summary: Path | None = None) -> Run:
    env = {} if summary is None else {"GITHUB_STEP_SUMMARY": str(summary)}
    return run(*arguments, "1.sql", cwd=folder, env=env)


@pytest.mark.parametrize("command", ["scan", "smoke"])
def test_one_run_writes_every_format_and_the_summary_of_the_job(folder: Path, command: str) -> None:
    summary = folder / "summary.md"
    summary.write_text("# Another step\n")
    outputs = [option for name, file in FILES.items() for option in ("--output", f"{name}={file}")]
    found = ran(folder, command, "--format", "github", *outputs, summary=summary)
    assert (found.code, len(found.err.splitlines())) == (1, 1), found.err

    told = [each for each in commands(found.out) if each is not None]
    assert len(told) == len(found.out.splitlines()) >= 1
    assert told[0].name == "error"
    text = (folder / FILES["markdown"]).read_text()
    assert text.startswith(f"### trigger-audit {command}: ")
    assert summary.read_text() == f"# Another step\n{text}"
    sarif = json.loads((folder / FILES["sarif"]).read_text())
    issues = json.loads((folder / FILES["gitlab"]).read_text())
    assert len(sarif["runs"][0]["results"]) == len(issues) >= len(told)
    assert ElementTree.parse(folder / FILES["junit"]).getroot().get("failures") != "0"
    assert json.loads((folder / FILES["json"]).read_text())["schema"] == f"trigger-audit/{command}/1"


def test_a_summary_that_cannot_be_written_changes_no_verdict(folder: Path) -> None:
    found = ran(folder, "scan", "--format", "github", summary=folder / "not there" / "summary.md")
    assert found.code == 1
    assert "note: the summary of the job is not written: No such file or directory" in found.err


def test_without_annotations_the_job_gets_no_summary(folder: Path) -> None:
    summary = folder / "summary.md"
    assert ran(folder, "scan", summary=summary).code == 1
    assert not summary.exists()


def test_what_goes_to_standard_error_is_no_command_either(folder: Path) -> None:
    (folder / "1.sql").write_text(PROJECT + 'select "##[error]x";')
    found = ran(folder, "scan")
    assert "not applied" in found.err
    assert not any(commands(found.err))
