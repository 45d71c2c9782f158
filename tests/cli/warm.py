"""Starts commands from a parent that has imported everything: 0.02 s of processor time instead of half a second.

The parent is a process of its own without threads or connections. For each command it forks a child, which takes on the
command's arguments, environment, folder and standard streams and runs the entry point as `python -m trigger_audit`
does, up to the interpreter's own ending. So a command is a real process: it has a number to send signals to, dies of
them, holds its own ends of the pipes, and its status is the kernel's.

What an interpreter settles before the first line of the program cannot be had from a fork. A command whose environment
differs from the parent's in a variable of Python's or of the locale, or in one that any module read while it was
imported, is therefore started afresh, as are all of them in `make test-all`, and where there are no pidfds (they are
Linux'). Three things differ all the same: the seed of `hash`, which a parent's children share, a module in the
command's folder that would hide one of ours, and that a module may be there which the command forgot to import. So
each command has a test that asks for a fresh process; test_warm.py compares the rest.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

from tests.cli.warm_parent import SIZE, read

_ROOT = Path(__file__).parents[2]
POSSIBLE = hasattr(os, "pidfd_open")
_SETTLED_BEFORE = ("PYTHON", "LC_", "LANG")


def start(
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    fresh: bool = False,
    stdin: int | IO[Any] | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    text: bool | None = None,
) -> subprocess.Popen[Any]:
    """`python -m trigger_audit ARGUMENTS` as a process of its own; `fresh`: of a new interpreter, whatever it takes."""
    fresh = fresh or not POSSIBLE or bool(os.environ.get("TRIGGER_AUDIT_TEST_ALL"))
    kind: type[subprocess.Popen[Any]] = subprocess.Popen if fresh or not parent().fits(env) else Forked
    command = [sys.executable, "-m", "trigger_audit", *arguments]
    return kind(command, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, text=text)


@functools.cache
def parent() -> Parent:
    """The parent of this test process' commands."""
    made = Parent()
    atexit.register(made.close)
    return made


class Parent:
    """Runs warm_parent.py. Where it dies, whoever starts a command or waits for one gets an error."""

    def __init__(self) -> None:
        from tests.cli.running import environment

        self.environment = environment()
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.warm_parent", str(theirs.fileno())],
                cwd=_ROOT, env=self.environment, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        self._lock = threading.Lock()
        size = int.from_bytes(read(self.control, SIZE), "big")
        self._read_at_import = frozenset(json.loads(read(self.control, size) or self.fail()))

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a child could not tell that its interpreter was started with another environment."""
        return all(
            environment.get(name) == self.environment.get(name)
            for name in {*environment, *self.environment}
            if name.startswith(_SETTLED_BEFORE) or name in self._read_at_import
        )

    def fork(self, request: dict[str, Any], streams: list[int]) -> tuple[int, socket.socket]:
        """A child's number, and the socket that will tell its status."""
        told, theirs = socket.socketpair()
        data = json.dumps(request).encode()
        with theirs, self._lock, contextlib.suppress(BrokenPipeError):
            socket.send_fds(self.control, [len(data).to_bytes(SIZE, "big")], [*streams, theirs.fileno()])
            self.control.sendall(data)
        number = told.recv(SIZE)
        if not number:
            told.close()
            self.fail()
        return int.from_bytes(number, "big"), told

    def fail(self) -> NoReturn:
        self.process.kill()
        raise RuntimeError(f"the parent of the commands has died: {self.process.communicate(timeout=10)[1]}")

    def close(self) -> None:
        self.control.close()
        self.process.communicate(timeout=10)


class Forked(subprocess.Popen[Any]):
    """A command that is the parent's child. subprocess' methods do the rest: those below are where it asks the system,
    the same in all of Python 3.11 to 3.14."""

    _told: socket.socket

    def _execute_child(
        self, args: list[str], executable: None, preexec_fn: None, close_fds: bool, pass_fds: tuple[int, ...],
        cwd: Path | None, env: Mapping[str, str], startupinfo: None, creationflags: int, shell: bool,
        *pipes_and_more: Any,
    ) -> None:  # fmt: skip
        pipes = pipes_and_more[:6]
        given = (pipes[0], pipes[3], pipes[5])
        streams = [number if file == -1 else file for number, file in enumerate(given)]
        request = {"argv": args, "cwd": str(Path(cwd or "").absolute()), "env": dict(env)}
        self.pid, self._told = parent().fork(request, streams)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _try_wait(self, flags: int) -> tuple[int, int]:
        try:
            status = self._told.recv(SIZE, socket.MSG_DONTWAIT if flags & os.WNOHANG else 0)
        except BlockingIOError:
            return 0, 0
        if not status:
            parent().fail()
        self._told.close()
        return self.pid, int.from_bytes(status, "big")

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        if self.returncode is None:
            pid, status = self._try_wait(os.WNOHANG)
            if pid:
                self._handle_exitstatus(status)  # type: ignore[attr-defined]
        return self.returncode
