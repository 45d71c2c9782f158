"""Runs the real command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.cli.warm import start

# What a developer's shell may hold and a test must not see, and what pytest tells that a shell does not.
_LEFT_OUT = ("DATABASE_URL", "SUPABASE_DB_URL", "POSTGRES_URL_NON_POOLING", "DIRECT_URL", "PYTEST_CURRENT_TEST")


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that tells why; fails the test where there are several or none."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


def environment() -> dict[str, str]:
    """That of a command: no target and no choice of colour in it."""
    kept = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT and not key.startswith("PG")}
    return kept | {"NO_COLOR": "", "FORCE_COLOR": "", "PYTHONWARNINGS": "error"}


def run(
    *arguments: str,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | bytes = "",
    timeout: float = 60,
    fresh: bool = False,
) -> Run:
    """`trigger-audit ARGUMENTS`, without a terminal or a target in the environment. It must leave nothing behind.

    `fresh`: by a new interpreter, where it matters what is imported when.
    """
    with start(
        *arguments,
        env=environment() | (env or {}),
        cwd=cwd,
        fresh=fresh,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out, err = process.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
    assert left_by(process.pid) == [], "the command left its sandbox behind"
    return Run(process.returncode, out.decode(), err.decode())


def left_by(pid: int) -> list[str]:
    """The sandbox folders of a process that has ended, and the servers that still run in them."""
    name = f"trigger-audit-{pid}-"
    folders = [str(found) for place in (tempfile.gettempdir(), "/dev/shm") for found in Path(place).glob(f"{name}*")]
    running = [
        str(server.info["pid"])
        for server in psutil.process_iter(["pid", "cmdline"])
        if any(name in part for part in server.info["cmdline"] or ())
    ]
    return folders + running
