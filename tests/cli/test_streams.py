"""The streams: a reader that goes, an encoding that lacks characters, a stream that is closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.cli.test_scan import FAULTY, SOUND

BUSY = """
create function public.busy() returns trigger language plpgsql as $$
begin
  raise exception 'busy' using errcode = '55P03';
end $$;
create trigger busy after insert on auth.users for each row execute function public.busy();
"""


def with_shell(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command in bash, where $TA is trigger-audit; the last line of stdout holds the exit codes of a pipe."""
    script = f'{command}; echo "codes ${{PIPESTATUS[@]}}"'
    environment = os.environ | {
        "TA": f"{sys.executable} -m trigger_audit",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.run(
        ["bash", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faulty.sql").write_text(FAULTY)
    (tmp_path / "sound.sql").write_text(SOUND)
    return tmp_path


# The pipe is closed before the first byte, or after the first line.
CLOSED, HEAD = "| (exec <&-)", "| head -1"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (f"scan faulty.sql {CLOSED}", 1),
        (f"scan faulty.sql {HEAD}", 1),
        (f"scan faulty.sql 2>&1 {CLOSED}", 1),
        (f"scan sound.sql --format json {HEAD}", 0),
        (f"smoke faulty.sql {CLOSED}", 1),
        (f"rule {HEAD}", 0),
        (f"--help {CLOSED}", 0),
        (f"--version {CLOSED}", 0),
        (f"scan nothing.sql {CLOSED}", 2),
    ],
)
def test_a_reader_that_goes_does_not_change_the_exit_code(command: str, code: int, folder: Path) -> None:
    done = with_shell(f"$TA {command}", folder)
    assert done.stdout.splitlines()[-1] == f"codes {code} 0", done
    assert done.stderr.count("error: ") == (code == 2)
    assert not {"Traceback", "Exception", "BrokenPipeError"} & set(done.stderr.split())


def test_streams_that_were_closed_before_the_start(folder: Path) -> None:
    assert with_shell("$TA scan faulty.sql >&-", folder).stdout == "codes 1\n"
    done = with_shell("$TA scan faulty.sql --format concise 2>&-", folder)
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["faulty.sql:6:15:", "codes"]
    closed = with_shell("$TA scan - <&-", folder)
    assert closed.stdout == "codes 2\n"
    assert "error: standard input is closed" in closed.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="THERE IS NO /dev/full: a full disk is not tried")
def test_a_full_disk_is_told_once(folder: Path) -> None:
    done = with_shell("$TA scan faulty.sql > /dev/full", folder)
    assert done.stdout == "codes 2\n"
    assert done.stderr.splitlines()[1:] == ["error: the system refused: No space left on device"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="THERE IS NO /dev/full: a full disk is not tried")
@pytest.mark.parametrize("command", ["scan --prove", "smoke --flow signup-email"])
def test_a_full_disk_and_no_verdict_are_both_told(command: str, folder: Path) -> None:
    """55P03 is what our own lock_timeout raises, so a flow that meets it is skipped."""
    (folder / "busy.sql").write_text(SOUND + BUSY)
    done = with_shell(f"$TA {command} -q busy.sql > /dev/full", folder)
    assert done.stdout == "codes 2\n"
    verdict, full = done.stderr.splitlines()[-2:]
    assert verdict.endswith(" was skipped: the reasons are in the report")
    assert full == "error: the system refused: No space left on device"


@pytest.mark.parametrize(
    ("command", "env"),
    [
        ("scan", {"PYTHONIOENCODING": "ascii"}),
        ("smoke", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
)
def test_an_encoding_that_lacks_characters(command: str, env: dict[str, str], tmp_path: Path) -> None:
    sql = FAULTY.replace("name text", '"prénom宽" text') + "select 'ü' + missing;\n"
    file = tmp_path / "prénom.sql"
    file.write_text(sql, encoding="utf-8")
    found = run(command, str(file), env=env)
    assert found.code == 1, found.err
    assert "pr\\xe9nom\\u5bbd" in found.out
    assert "nom.sql" in found.err
    assert (found.out + found.err).isascii()
