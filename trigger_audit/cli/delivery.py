"""Where the reports go: files, the summary of a job, standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_audit.cli.options import Format, Output, write_outputs
from trigger_audit.cli.terminal import style_for
from trigger_audit.report.formats import render

if TYPE_CHECKING:
    from trigger_audit.cli.terminal import Messages
    from trigger_audit.report.formats import Result

_SUMMARY = "GITHUB_STEP_SUMMARY"


def deliver(result: Result, format_: Format, outputs: tuple[Output, ...], messages: Messages) -> None:
    """Write every report. Raises TriggerAuditError where a file of the user's cannot be written.

    With `github` among the formats the job gets its summary too, where GitHub says in which file.
    """
    write_outputs(outputs, lambda kind: render(result, kind))
    summary = os.environ.get(_SUMMARY)
    if summary and Format.GITHUB in (format_, *(output.format for output in outputs)):
        try:
            # Other steps of the job write to it as well.
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(render(result, Format.MARKDOWN))
        except OSError as error:
            messages.say(f"note: the summary of the job is not written: {error.strerror}")
    sys.stdout.write(render(result, format_, style_for(sys.stdout)))
