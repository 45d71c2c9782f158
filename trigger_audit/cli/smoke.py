"""`trigger-audit smoke`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_audit.cli.options import (
    ExitZero,
    Format,
    FormatOption,
    OutputOption,
    Postgres,
    Quiet,
    SmokeFailOn,
    Strict,
    Targets,
    Verbose,
    codes,
    parse_outputs,
    verbosity,
    write_outputs,
)
from trigger_audit.cli.telling import chosen_target, tell_about
from trigger_audit.cli.terminal import Messages, style_for

if TYPE_CHECKING:
    from trigger_audit.pipeline import SmokeResult
    from trigger_audit.report.table import Style
    from trigger_audit.smoke.model import SmokeReport


def smoke(
    targets: Targets = None,
    flow: Annotated[
        list[str] | None, typer.Option("--flow", metavar="FLOW", help="Only these flows: signup-email, login ...")
    ] = None,
    allow_side_effects: Annotated[
        bool,
        typer.Option("--allow-side-effects", help="Run although a function does what ROLLBACK does not undo."),
    ] = False,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    fail_on: Annotated[SmokeFailOn, typer.Option("--fail-on", help="Exit 1 on this outcome and worse.")] = (
        SmokeFailOn.ALTERED
    ),
    exit_zero: ExitZero = False,
    strict: Strict = False,
    postgres: Postgres = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run Auth's flows on the target, rolled back: would a sign-up work, and if not, what breaks it?"""
    from trigger_audit.opening import open_target
    from trigger_audit.pipeline import smoke as run

    messages = Messages(verbosity(verbose, quiet))
    outputs = parse_outputs(output, format_)
    target = chosen_target(targets, messages)
    with open_target(target, postgres=postgres, progress=messages.progress) as opened:
        tell_about(opened, messages)
        messages.progress("running the flows of Auth")
        result = run(opened.connection, opened.info, flows=codes(flow) or None, allow_side_effects=allow_side_effects)
    messages.clear()
    write_outputs(outputs, lambda kind: render(result, kind, None))
    sys.stdout.write(render(result, format_, style_for(sys.stdout)))
    raise typer.Exit(exit_code(result.report, fail_on, exit_zero=exit_zero, strict=strict))


def render(result: SmokeResult, kind: Format, style: Style | None) -> str:
    """One report. A file gets no colour."""
    if kind is Format.JSON:
        from trigger_audit.report.json import dumps
        from trigger_audit.report.smoke_json import smoke_document

        return dumps(smoke_document(result.report))
    if kind is Format.CONCISE:
        from trigger_audit.report.concise import smoke_lines

        return smoke_lines(result.report)
    from trigger_audit.report.smoke_table import smoke_text
    from trigger_audit.report.table import Style

    return smoke_text(result.report, style or Style(), result.sources)


def exit_code(report: SmokeReport, fail_on: SmokeFailOn, *, exit_zero: bool, strict: bool) -> int:
    """2 when no flow gave a verdict; 1 when a default flow failed (or was altered); latent flows do not count."""
    from trigger_audit.smoke.model import Outcome

    default = [flow for flow in report.flows if not flow.latent] or list(report.flows)
    if all(flow.outcome is Outcome.SKIPPED for flow in default):
        return 2
    if exit_zero:
        return 0
    if strict and any(flow.outcome is Outcome.SKIPPED for flow in report.flows):
        return 1
    bad = {SmokeFailOn.FAIL: {Outcome.FAIL}, SmokeFailOn.ALTERED: {Outcome.FAIL, Outcome.ALTERED}}.get(fail_on, set())
    return int(any(flow.outcome in bad for flow in default))
