"""The parent of warm.py: imports everything, then forks a child for each command that it is told of.

Run as a program with the number of the socket that it is told by, and its environment as the commands' will be.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import socket
import sys
import threading
import time
from typing import Any, TextIO

SIZE = 4
"""Bytes of a length, a process number and a status, where they are sent."""


def read(control: socket.socket, size: int) -> bytes:
    """So many bytes; fewer where the other side has gone."""
    data = b""
    while len(data) < size and (more := control.recv(size - len(data))):
        data += more
    return data


class _Noting(os._Environ[str]):
    """Environment variables that keep the names of those that were asked for."""

    asked: set[str] = set()  # noqa: RUF012 (one for all is meant)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)


def _import_everything() -> set[str]:
    """Returns the names of the environment variables that decide something while modules are imported."""
    os.environ.__class__ = _Noting
    for name in (
        "trigger_audit",
        "networkx",
        "pgparse",
        "platformdirs",
        "psutil",
        "psycopg",
        "sqlglot",
        "tabulate",
        "tomllib",
    ):
        importlib.import_module(name)
    for module in pkgutil.walk_packages(importlib.import_module("trigger_audit").__path__, "trigger_audit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    os.environ.__class__ = os._Environ
    assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1, "a module started a thread"
    # The children share the memory of what is never looked through.
    gc.freeze()
    return _Noting.asked


def _serve(control: socket.socket) -> dict[str, Any]:
    """Returns in the children alone, with what each is to do; the parent ends with the tests."""
    # Numbers instead of objects: a child that threw those away would close what its own files have got.
    running: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as selector, control:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    pid, told = running.pop(key.fd)
                    selector.unregister(key.fd)
                    _tell(told, os.waitpid(pid, 0)[1])
                    os.close(told)
                    os.close(key.fd)
                    continue
                size, files, _, _ = socket.recv_fds(control, SIZE, 4)
                if not size:
                    raise SystemExit
                request: dict[str, Any] = json.loads(read(control, int.from_bytes(size, "big")))
                *streams, told = files
                pid = os.fork()
                if pid == 0:
                    for number, file in enumerate(streams):
                        os.dup2(file, number)
                    return request
                _tell(told, pid)
                for file in streams:
                    os.close(file)
                watched = os.pidfd_open(pid)
                running[watched] = (pid, told)
                selector.register(watched, selectors.EVENT_READ)


def _tell(told: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # a test that failed waits for nothing any more
        os.write(told, number.to_bytes(SIZE, "big"))


def _become(argv: list[str], cwd: str, env: dict[str, str]) -> str:
    """Makes of the process what a new interpreter would be, and returns the module that it runs."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.orig_argv = argv
    sys.argv = argv[2:]
    sys.path[0] = os.getcwd()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        setattr(sys, name, _stream(getattr(sys, name), f"<{name}>", mode))
        setattr(sys, f"__{name}__", getattr(sys, name))
    return argv[2]


def _stream(of_the_parent: TextIO, name: str, mode: str) -> TextIO:
    """As create_stdio in CPython's pylifecycle.c."""
    assert isinstance(of_the_parent, io.TextIOWrapper)
    encoding, errors = of_the_parent.encoding, of_the_parent.errors
    raw = io.FileIO(of_the_parent.fileno(), mode, closefd=False)
    raw.name = name
    at_once = of_the_parent.write_through  # PYTHONUNBUFFERED
    by_line = not at_once and (name == "<stderr>" or raw.isatty())
    buffer: Any = io.BufferedReader(raw) if mode == "r" else raw if at_once else io.BufferedWriter(raw)
    made = io.TextIOWrapper(buffer, encoding, errors, "\n", line_buffering=by_line, write_through=at_once)
    made.mode = mode  # type: ignore[misc]
    return made


if __name__ == "__main__":
    _control = socket.socket(fileno=int(sys.argv[1]))
    _names = json.dumps(sorted(_import_everything())).encode()
    _control.sendall(len(_names).to_bytes(SIZE, "big") + _names)
    runpy.run_module(_become(**_serve(_control)), run_name="__main__", alter_sys=True)
