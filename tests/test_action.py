"""The GitHub action's own steps, run by the shell that a runner uses, without GitHub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.check.repositories import Made, made_repository
from tests.check.test_run import FAULTY, SOUND, TABLE, TRIGGER

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"] if "run" in step}
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(slots=True)
class Runner:
    """What a runner keeps while a job runs: the outputs of steps, by `steps.ID.outputs.NAME`."""

    workspace: Path
    temp: Path
    inputs: dict[str, str]
    outputs: dict[str, str]

    def value(self, text: str) -> str:
        known = {f"inputs.{name}": self.inputs.get(name, each["default"]) for name, each in ACTION["inputs"].items()}
        return _EXPRESSION.sub(lambda found: (known | self.outputs)[found[1]], text)

    def run(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        step = STEPS[name]
        written = self.temp / f"{name}.outputs"
        written.touch()
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "PG"))}
        runners = {
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(written),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
        }
        own = {key: self.value(value) for key, value in step.get("env", {}).items()}
        # As GitHub starts `shell: bash`.
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env=plain | runners | own | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for line in written.read_text().splitlines():
            key, _, value = line.partition("=")
            self.outputs[f"steps.{name}.outputs.{key}"] = value
        return done


@pytest.fixture
def repository(tmp_path: Path) -> Made:
    made = made_repository(tmp_path / "work")
    made.write("supabase/migrations/1_first.sql", TABLE + SOUND + TRIGGER)
    made.commit()
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return made


@pytest.fixture
def runner(repository: Made, tmp_path: Path) -> Runner:
    temp = tmp_path / "a temp"
    temp.mkdir()
    known = {
        "steps.python.outputs.python-version": "3.13.1",
        "steps.python.outputs.python-path": sys.executable,
    }
    found = Runner(repository.top, temp, {}, known)
    assert found.run("prepare").returncode == 0
    # What the cache brings back: here the tool that is under test.
    programs = Path(found.outputs["steps.prepare.outputs.folder"]) / "venv/bin"
    programs.mkdir(parents=True)
    installed = shutil.which("trigger-audit", path=str(Path(sys.executable).parent))
    assert installed is not None
    (programs / "trigger-audit").symlink_to(installed)
    return found


def test_every_expression_is_known_to_github() -> None:
    """A name that is misspelt is an empty text there, without any word."""
    text = (ROOT / "action.yml").read_text()
    named = {found[1] for found in _EXPRESSION.finditer(text)}
    for name in named:
        kind, _, rest = name.partition(".")
        if kind == "inputs":
            assert rest in ACTION["inputs"]
        else:
            step = rest.partition(".")[0]
            assert kind == "steps"
            assert step in {each.get("id") for each in ACTION["runs"]["steps"]}
    for step in STEPS.values():
        assert "${{" not in step["run"], "what a user gives may hold shell code, and goes through the environment"


def test_the_key_of_the_cache_names_machine_python_and_version(runner: Runner) -> None:
    key = runner.outputs["steps.prepare.outputs.key"]
    assert re.fullmatch(r"trigger-audit-Linux-X64-3\.13\.1-[0-9a-f]{64}", key)


def test_a_report_of_an_earlier_use_in_the_job_is_not_taken_for_this_one_s(runner: Runner) -> None:
    report = Path(runner.outputs["steps.prepare.outputs.folder"]) / "report.sarif"
    report.write_text("{}")
    runner.inputs = {"base": "origin/release"}
    assert runner.run("check").returncode == 2
    assert "steps.check.outputs.report" not in runner.outputs


def test_what_is_in_the_cache_is_not_installed_again(runner: Runner) -> None:
    done = runner.run("install", PATH="/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("trigger-audit ")


def test_a_pull_request_is_compared_with_its_base(runner: Runner, repository: Made) -> None:
    repository.write("supabase/migrations/2_second.sql", FAULTY)
    repository.commit()
    done = runner.run("check", GITHUB_BASE_REF="main", GITHUB_WORKSPACE=str(repository.top))
    assert done.returncode == 1, done.stderr
    assert "::error file=supabase/migrations/2_second.sql,line=4," in done.stdout
    assert Path(runner.outputs["steps.check.outputs.report"]).is_file()
    assert "compared with" in (runner.temp / "summary.md").read_text()


def test_a_push_judges_all_and_takes_more_options(runner: Runner, repository: Made) -> None:
    repository.write("supabase/migrations/2_second.sql", FAULTY)
    repository.commit()
    runner.inputs = {"migrations": "supabase", "arguments": "--fail-on never\n  --ignore TA1"}
    done = runner.run("check", GITHUB_BASE_REF="")
    assert done.returncode == 0, done.stderr
    assert "TA101" not in done.stdout


def test_a_base_that_was_not_fetched_says_what_to_do_and_there_is_no_report(runner: Runner) -> None:
    runner.inputs = {"base": "origin/release"}
    done = runner.run("check")
    assert done.returncode == 2
    assert "git knows no revision 'origin/release'" in done.stderr
    assert "steps.check.outputs.report" not in runner.outputs


def test_what_a_user_gives_is_never_run_by_the_shell(runner: Runner, repository: Made) -> None:
    runner.inputs = {"migrations": "$(touch made)", "base": "`touch made`", "arguments": "; touch made"}
    assert runner.run("check").returncode == 2
    assert not (repository.top / "made").exists()
