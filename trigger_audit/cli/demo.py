"""`trigger-audit demo`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trigger_audit.cli.options import Postgres, Quiet, Verbose, verbosity
from trigger_audit.cli.terminal import Messages, style_for


def demo(
    mended: Annotated[bool, typer.Option("--mended", help="The same project after the faults were mended.")] = False,
    postgres: Postgres = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """A sandbox with a small project whose sign-ups are broken, scanned and smoked."""
    from trigger_audit.cli.telling import tell_about
    from trigger_audit.opening import sandbox_with, sql_input
    from trigger_audit.pipeline import SmokeOptions, scan, smoke
    from trigger_audit.report.smoke_table import smoke_text
    from trigger_audit.report.table import scan_text
    from trigger_audit.resources import sql_folder
    from trigger_audit.rules.registry import all_rules

    messages = Messages(verbosity(verbose, quiet))
    examples = sql_folder() / "examples"
    files = sql_input((examples / "broken", *((examples / "mended",) if mended else ())))
    messages.say("target: the demo project, applied to a sandbox")
    style = style_for(sys.stdout)
    with sandbox_with(files, ["demo"], postgres=postgres, progress=messages.progress) as opened:
        tell_about(opened, messages)
        messages.progress("scanning")
        scanned = scan(
            opened.connection,
            opened.info,
            all_rules(),
            not_applied=opened.not_applied,
            source_map=opened.source_map,
        )
        messages.progress("running the flows of Auth")
        options = SmokeOptions(allow_locks=True, unmask=True)
        smoked = smoke(opened.connection, opened.info, options, not_applied=opened.not_applied)
    messages.clear()
    sys.stdout.write(scan_text(scanned, style))
    sys.stdout.write("\n")
    sys.stdout.write(smoke_text(smoked, style))
