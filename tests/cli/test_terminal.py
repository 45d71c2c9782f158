"""On a terminal lines are wrapped to its width; in a pipe and a file they stay whole."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

from tests.cli.running import environment, run
from tests.cli.warm import start

SQL = """
create function public.f() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  raise exception 'this project takes nobody in, whoever they may be, from wherever they come, on whatever day it is';
end $$;
create trigger t after insert on auth.users for each row execute function public.f();
select a_function_with_a_rather_long_name_that_nobody_has_made('and', 'a', 'few', 'arguments', 'for', 'it');
"""


def on_a_terminal(width: int, *arguments: str, cwd: Path) -> list[str]:
    """The lines that the command prints on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    shell = environment() | {"TERM": "xterm", "NO_COLOR": "1"}
    shell.pop("COLUMNS", None)
    with start(*arguments, env=shell, cwd=cwd, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        out = b""
        try:
            while read := os.read(ours, 65536):
                out += read
        except OSError:
            pass  # EIO: the other side was closed
        process.wait(60)
    os.close(ours)
    return out.decode().replace("\r\n", "\n").splitlines()


def test_smoke(tmp_path: Path) -> None:
    (tmp_path / "gate.sql").write_text(SQL)
    arguments = ("smoke", "gate.sql", "--flow", "signup-email", "--flow", "login")
    shown = on_a_terminal(80, *arguments, cwd=tmp_path)
    table = shown[: shown.index("")]
    assert max(map(len, table)) <= 80
    assert any(line.startswith("signup-email") for line in table)
    note = next(at for at, line in enumerate(shown) if line.startswith("note login"))
    assert shown[note + 1].startswith("  ")
    assert max(map(len, shown[note : note + 2])) <= 80
    refused = next(at for at, line in enumerate(shown) if line.startswith("  gate.sql:7:8: not applied: "))
    assert shown[refused + 1].startswith("      ")

    piped = run(*arguments, cwd=tmp_path).out.splitlines()
    assert piped[2].startswith("signup-email  bare, full, duplicate, admin  fail ")
    assert " ".join(line.strip() for line in shown[note : note + 2]) in next(
        line for line in piped if line.startswith("note login")
    )
    assert any(line.startswith("  gate.sql:7:8: ") and line.endswith("does not exist (42883)") for line in piped)


def test_scan(tmp_path: Path) -> None:
    (tmp_path / "gate.sql").write_text(SQL)
    shown = on_a_terminal(80, "scan", "gate.sql", cwd=tmp_path)
    at = shown.index("not analysed:")
    assert shown[at + 1] == "  gate.sql:7:8: not applied: function"
    # A name is not broken: it could not be copied from the screen.
    assert shown[at + 2].startswith("      a_function_with_a_rather_long_name_that_nobody_has_made(unknown,")
