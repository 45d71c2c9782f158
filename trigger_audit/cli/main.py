"""The application: its commands, and what becomes of every error."""

from __future__ import annotations

import gc
import sys
import traceback
from typing import NoReturn

import typer

from trigger_audit import __version__
from trigger_audit.cli import check, demo, rule, scan, smoke
from trigger_audit.errors import TriggerAuditError
from trigger_audit.report.inert import inert_text
from trigger_audit.visible import plain

app = typer.Typer(
    name="trigger-audit",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Finds out why sign-ups fail on Supabase, before and after it happens.

Examples:

  trigger-audit scan "$DATABASE_URL"    what is wrong with the triggers behind auth.users

  trigger-audit smoke "$DATABASE_URL"   would a sign-up work right now, and if not, why not

  trigger-audit scan supabase/          the same for a project's migrations, in a sandbox

  trigger-audit check --base main       would this branch's migrations break a sign-up

  trigger-audit rule TA107              what a finding means and how to mend it""",
)


# What typer makes of Ctrl-C; for us it is "could not do its job".
INTERRUPTED = 130


def show_version(value: bool) -> None:
    if value:
        print(f"trigger-audit {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: bool = typer.Option(False, "--version", "-V", callback=show_version, is_eager=True, help="The version."),
) -> None:
    """Options before the command."""


app.command("scan")(scan.scan)
app.command("smoke")(smoke.smoke)
app.command("check")(check.check)
app.command("rule")(rule.rule)
app.command("demo")(demo.demo)


def run() -> NoReturn:
    """Run the command line. Exit code 2 for whatever kept it from doing its job, always with one plain line."""
    # Catalogs and trees live to the end: looking through them for garbage again and again took 40 % of a large scan.
    gc.set_threshold(100_000, 50, 50)
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        try:
            code = app(standalone_mode=False)
            if code == INTERRUPTED:
                raise KeyboardInterrupt
        except TriggerAuditError as error:
            complain(error.message, error.remedy)
            code = 2
        # Here a disk that is full can still be told; the interpreter's own flush would end with a traceback.
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        complain("interrupted; nothing was kept", None)
        code = 2
    except OSError as error:
        place = f" {str(error.filename)!r}" if error.filename is not None else ""
        complain(f"the system refused{place}: {error.strerror or error}", None)
        code = 2
    except Exception as error:
        code = unexpected(error)
    raise SystemExit(code if isinstance(code, int) else 0)


def unexpected(error: Exception) -> int:
    """A usage error of the option parser keeps its own text; anything else is ours to mend."""
    from typer.exceptions import TyperException

    if type(error) is typer.BadParameter and error.param is not None:
        complain(
            f"{max(error.param.opts, key=len)}: {error.message.removeprefix('Value error, ').rstrip('.')}", "see --help"
        )
        return 2
    if isinstance(error, TyperException):
        complain(error.format_message(), "see --help")
        return 2
    from trigger_audit.database.redact import redact

    if any(option in sys.argv for option in ("-v", "--verbose")):
        print(redact("".join(traceback.format_exception(error)), ()), file=sys.stderr)
    summary = redact(f"{type(error).__name__}: {error}".split("\n", 1)[0], ())
    complain(f"internal error: {summary}", "please report it; --verbose shows where it happened")
    return 2


def complain(message: str, remedy: str | None) -> None:
    text = f"error: {message}" + (f" ({remedy})" if remedy else "")
    print(inert_text(plain(text)), file=sys.stderr, flush=True)
