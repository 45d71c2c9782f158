"""Ends a sandbox in an orderly way when the process is told to end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


def _leave(number: int, frame: FrameType | None) -> None:
    # 128 + n is how a shell reports a program that a signal ended.
    raise SystemExit(128 + number)


@contextlib.contextmanager
def termination_as_exit() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP unwind the stack like Ctrl-C does, where nobody else handles them.

    Python installs handlers in the main thread only; elsewhere the next run's sweep has to do.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                previous[number] = signal.signal(number, _leave)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignores Ctrl-C and SIGTERM for the fraction of a second that cleaning up takes."""
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            previous[number] = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
