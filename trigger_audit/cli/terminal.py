"""Standard output and error: findings to the one, the rest to the other; colour and progress only on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from trigger_audit.report.inert import inert_text
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.report.table import Style


def coloured(stream: TextIO) -> bool:
    """NO_COLOR and FORCE_COLOR are honoured (any non-empty value); else a terminal decides."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def style_for(stream: TextIO) -> Style:
    from trigger_audit.report.table import Style

    terminal = shutil.get_terminal_size((100, 24)).columns if stream.isatty() else None
    return Style(colour=coloured(stream), width=max(40, min(terminal or 100, 140)), terminal=terminal)


@dataclass(slots=True)
class Messages:
    """What goes to stderr. `verbosity`: -1 quiet, 0, 1 verbose."""

    verbosity: int = 0
    shown: int = 0

    def say(self, text: str) -> None:
        """Always shown: the target's line, errors."""
        self.clear()
        print(inert_text(plain(text)), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Shown unless quiet."""
        if self.verbosity >= 0:
            self.say(text)

    def detail(self, text: str) -> None:
        """Shown with -v."""
        if self.verbosity >= 1:
            self.say(text)

    def progress(self, text: str) -> None:
        """A line that the next one overwrites; only on a terminal."""
        if self.verbosity < 0 or not sys.stderr.isatty():
            return
        self.clear()
        line = f"{plain(text)} ..."
        self.shown = len(line)
        print(line, end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.shown:
            print("\r" + " " * self.shown + "\r", end="", file=sys.stderr, flush=True)
            self.shown = 0
