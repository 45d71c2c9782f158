"""A command that is forked from the warm parent cannot be told from one of a new interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli import warm
from tests.cli.running import environment

pytestmark = pytest.mark.skipif(not warm.POSSIBLE, reason="NO PIDFDS HERE: all commands are started afresh")

LOOK = """
import locale, os, random, resource, signal, sys, time, warnings
print(sys.argv, sys.orig_argv, sys.flags, sys.path, sys.warnoptions, warnings.filters, __name__, __file__)
print(os.getcwd(), sorted(os.environ.items()), time.tzname, os.getpgid(0), os.getsid(0), os.umask(0), os.geteuid())
print([os.path.exists(f"/proc/self/fd/{number}") for number in range(20)], len(os.listdir("/proc/self/task")))
print([(number, str(signal.getsignal(number))) for number in signal.valid_signals()], signal.pthread_sigmask(0, []))
limits = [(name, resource.getrlimit(getattr(resource, name))) for name in dir(resource) if name.startswith('RLIMIT_')]
print(limits, locale.setlocale(locale.LC_ALL))
print([line.split() for line in open("/proc/self/status") if line.startswith(("Sig", "Shd", "Umask", "Cap"))])
for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.line_buffering, stream.write_through)
    print(stream.newlines, stream.buffer.name, stream.buffer.mode, stream.isatty())
    print(type(stream.buffer), stream.fileno())
    print(os.readlink(f"/proc/self/fd/{stream.fileno()}").partition(":")[0])
print(repr(sys.stdin.read()))
print("to stderr", file=sys.stderr)
"""
ENDINGS = {
    "falls off its end": "print('all')",
    "a code": "import sys; print('some', end=''); sys.exit(3)",
    "a large code": "import sys; sys.exit(258)",
    "a text": "import sys; sys.exit('why')",
    "os._exit": "import os; print('lost', end=''); os._exit(4)",
    "a traceback": "raise ValueError('what')",
    "atexit": "import atexit, os; atexit.register(print, 'last')",
    "a last flush that fails": "import os, sys; print('x'); os.dup2(os.open('/dev/full', os.O_WRONLY), 1)",
    "a thread": "import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()",
    "a lost interrupt": "import signal; signal.raise_signal(signal.SIGINT)",
    "SIGTERM": "import os; os.kill(os.getpid(), 15)",
    "SIGKILL": "import os; os.kill(os.getpid(), 9)",
    "a core": "import os; os.abort()",
    "a pipe without a reader": "import os\nr, w = os.pipe(); os.close(r); os.write(w, b'x')",
}


def both(folder: Path, code: str, given: bytes = b"", env: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    """Exit code, stdout and the last line of stderr (tracebacks begin in other ways) of a forked and of a new one."""
    (folder / "program.py").write_text(code)
    found = []
    for kind in (warm.Forked, subprocess.Popen):
        with kind(
            [sys.executable, "-m", "program", "one", "--two=3"],
            env=environment() | (env or {}), cwd=folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            out, err = process.communicate(given, timeout=30)
        found.append((process.returncode, out.decode(), err.decode().splitlines()[-1:]))
    return found


@pytest.mark.parametrize("env", [{}, {"TZ": "Asia/Tokyo", "A": "\udcff=ü\n", "TMPDIR": "/nowhere"}])
def test_what_it_finds_is_the_same(env: dict[str, str], tmp_path: Path) -> None:
    forked, new = both(tmp_path, LOOK, "line\r\nlast, ü".encode(), env)
    assert forked[1].splitlines() == new[1].splitlines()
    assert new[0] == forked[0] == 0, new[2]
    assert repr("line\r\nlast, ü") in new[1]
    assert new[2] == forked[2] == ["to stderr"]


@pytest.mark.parametrize("code", ENDINGS.values(), ids=list(ENDINGS))
def test_its_end_is_the_same(code: str, tmp_path: Path) -> None:
    forked, new = both(tmp_path, code)
    assert forked == new


def test_endings_differ(tmp_path: Path) -> None:
    codes = [both(tmp_path, ENDINGS[name])[0][0] for name in ("falls off its end", "a code", "SIGKILL")]
    assert codes == [0, 3, -9]


def test_it_is_a_process(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)")
    command = [sys.executable, "-m", "program"]
    with warm.Forked(command, env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{process.pid}\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == -signal.SIGHUP
        assert process.poll() == -signal.SIGHUP
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_what_was_settled_before_the_fork_is_not_taken_for_granted() -> None:
    known = environment()
    fits = warm.parent().fits
    assert fits(known | {"DATABASE_URL": "x", "XDG_CACHE_HOME": "/x"})
    for name in ("PYTHONIOENCODING", "PYTHONHASHSEED", "PYTHONUTF8", "LC_ALL", "LANG", "PSYCOPG_IMPL"):
        assert not fits(known | {name: "other"}), name
    assert not fits({name: value for name, value in known.items() if name != "PYTHONWARNINGS"})


def test_a_parent_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = warm.Parent()
    monkeypatch.setattr(warm, "parent", lambda: own)
    (tmp_path / "program.py").write_text("import time; time.sleep(60)")
    command = [sys.executable, "-m", "program"]
    process = warm.Forked(command, env=environment(), cwd=tmp_path)
    own.process.kill()
    try:
        with pytest.raises(RuntimeError, match="the parent of the commands has died"):
            process.wait()
        with pytest.raises(RuntimeError, match="the parent of the commands has died"):
            process.poll()
        with pytest.raises(RuntimeError, match="the parent of the commands has died"):
            warm.start("--version", env=environment())
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.returncode = -signal.SIGKILL
        process._told.close()
        own.control.close()
