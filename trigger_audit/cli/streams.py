"""Standard output and error as a command line needs them: they outlive their reader and can print any text.

Only what the interpreter has loaded anyway is imported here (typing is not), for `--version` comes through too.
"""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO


class Lasting(io.FileIO):
    """A stream whose reader may go (`| head`): the command still ends with the exit code of what it found.

    Another failure (a full disk) is told once; what is written afterwards is dropped, or the interpreter's last flush
    would fail again and change the exit code.
    """

    gone = False

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.gone:
            return size
        try:
            return super().write(data)
        except BrokenPipeError:
            self.gone = True
            return size
        except OSError:
            self.gone = True
            raise


def settle_streams() -> None:
    """Puts such streams in the place of stdout and stderr.

    What their encoding lacks is written as an escape. One that was closed before the start (`>&-`) leads nowhere: its
    number may soon be that of another file.
    """
    sys.stdout = _settled(sys.stdout, always_by_line=False)
    sys.stderr = _settled(sys.stderr, always_by_line=True)


def _settled(stream: TextIO | None, *, always_by_line: bool) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    by_line = always_by_line or stream.isatty()
    raw = io.BufferedWriter(Lasting(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(raw, encoding=stream.encoding, errors="backslashreplace", line_buffering=by_line)
