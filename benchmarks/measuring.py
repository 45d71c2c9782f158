"""Timing and memory of commands and calls; medians, because one slow run says nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

Row = tuple[str, str, str, str, str, str]
"""What, measured, the peer in the same run, ratio, budget, kept or not."""


def kept(measured: float, budget: float) -> str:
    """Whether the budget is kept, in its own unit."""
    return "kept" if measured <= budget else "MISSED"


def median_seconds(call: Callable[[], object], runs: int = 7) -> float:
    """The median wall time of a call, after one that warms caches."""
    call()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def command_seconds(command: Sequence[str], runs: int = 7) -> float:
    """The median wall time of a whole process; its output is dropped. Exit codes above 1 raise."""

    def run() -> None:
        finished = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if finished.returncode > 1:
            raise RuntimeError(finished.stderr.decode(errors="replace"))

    return median_seconds(run, runs)


def once(command: Sequence[str]) -> tuple[float, float]:
    """(seconds, peak resident MiB) of one process and its children."""
    program = (
        "import resource, subprocess, sys, time\n"
        "started = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "seconds = time.perf_counter() - started\n"
        "print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=True)
    seconds, kibibytes, code = finished.stdout.split()
    if int(code) > 1:
        raise RuntimeError(finished.stderr)
    return float(seconds), int(kibibytes) / 1024
