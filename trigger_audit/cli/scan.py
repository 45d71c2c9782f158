"""`trigger-audit scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trigger_audit.cli.baseline import (
    BaselineOption,
    PruneBaseline,
    WriteBaseline,
    settling_of,
    tell_what_is_settled,
)
from trigger_audit.cli.delivery import deliver
from trigger_audit.cli.options import (
    Docker,
    ExitZero,
    FailOn,
    Format,
    FormatOption,
    IgnoreOption,
    OutputOption,
    Postgres,
    Quiet,
    SelectOption,
    Strict,
    Tables,
    Targets,
    Verbose,
    codes,
    parse_outputs,
    sandbox_server,
    verbosity,
)
from trigger_audit.cli.settings import ConfigOption, ShowSettings, read_settings, show_settings, told_by_project
from trigger_audit.cli.telling import announcer, chosen_target, tell_about, tell_what_was_run
from trigger_audit.cli.terminal import Messages
from trigger_audit.cli.verdict import no_verdict

if TYPE_CHECKING:
    from trigger_audit.pipeline import ScanResult


def scan(
    targets: Targets = None,
    table: Tables = None,
    all_tables: Annotated[bool, typer.Option("--all-tables", help="Audit every user table with triggers.")] = False,
    as_role: Annotated[
        str | None, typer.Option("--as-role", metavar="ROLE", help="Who fires the statements on tables not of Auth.")
    ] = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="Run Auth's own statements too, rolled back, and mark what was seen to happen."),
    ] = False,
    allow_side_effects: Annotated[
        bool,
        typer.Option(
            "--allow-side-effects", help="With --prove: run although a function does what ROLLBACK does not undo."
        ),
    ] = False,
    baseline: BaselineOption = None,
    write_baseline: WriteBaseline = False,
    prune_baseline: PruneBaseline = False,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit 1 at this severity and above; usually error.")
    ] = None,
    exit_zero: ExitZero = False,
    strict: Strict = False,
    config: ConfigOption = None,
    show: ShowSettings = False,
    postgres: Postgres = None,
    docker: Docker = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """What is wrong with the triggers on auth.users and with all that they set off. Read-only without --prove."""
    from trigger_audit.errors import TriggerAuditError, UsageError
    from trigger_audit.opening import open_target
    from trigger_audit.pipeline import SmokeOptions
    from trigger_audit.pipeline import prove as run_prove
    from trigger_audit.pipeline import scan as run_scan
    from trigger_audit.settings import chosen_rules, with_options

    messages = Messages(verbosity(verbose, quiet))
    if allow_side_effects and not prove:
        raise UsageError("--allow-side-effects goes with --prove", "scan alone runs nothing of the database")
    outputs = parse_outputs(output, format_)
    server = sandbox_server(postgres, docker)
    settings = with_options(
        read_settings(config),
        select=codes(select),
        ignore=codes(ignore),
        tables=tuple(table or ()),
        scan_fails_on=fail_on,
        baseline=baseline,
    )
    rules, severities = chosen_rules(settings)
    if show:
        show_settings(settings, targets, chosen_target, messages)
    settling = settling_of(settings, rules, severities, write=write_baseline, prune=prune_baseline)
    target = chosen_target(targets, messages)
    settings = told_by_project(settings, target, messages)
    enabled = frozenset(settings.flows.value or ())
    with open_target(target, postgres=server, progress=messages.progress) as opened:
        tell_about(opened, messages)
        messages.progress("scanning")
        unmade = opened.unmade
        result = run_scan(
            opened.connection,
            opened.info,
            rules,
            tables=settings.tables.value,
            all_tables=all_tables,
            as_role=as_role,
            not_applied=opened.not_applied,
            unmade=unmade,
            enabled=enabled,
            source_map=opened.source_map,
        )
        report = None
        unproved: TriggerAuditError | None = None
        if prove:
            messages.progress("running the flows of Auth")
            options = SmokeOptions(
                allow_side_effects=allow_side_effects,
                unmask=opened.in_sandbox,
                blame=False,
                enabled=enabled,
                expect=settings.expect.value,
            )
            announce = announcer(opened, messages)
            try:
                result, smoked = run_prove(opened.connection, result, options, unmade=unmade, announce=announce)
                report = smoked.report
            except TriggerAuditError as error:
                unproved = error
    result = settling.of_result(result)
    messages.clear()
    deliver(result, format_, outputs, messages)
    tell_what_is_settled(result, settling, messages)
    if report is not None:
        tell_what_was_run(report, messages)
        reason = no_verdict(report)
        unproved = None if reason is None else TriggerAuditError(reason)
    if unproved is not None:
        # The findings stand without the proof, and have been shown.
        raise unproved
    if result.unexplained:
        from trigger_audit.report.unexplained import unexplained_words

        messages.say(f"error: {unexplained_words(result.unexplained)}")
    fails_on = FailOn(settings.scan_fails_on.value)
    raise typer.Exit(exit_code(result, fails_on, exit_zero=exit_zero, strict=strict))


def exit_code(result: ScanResult, fail_on: FailOn, *, exit_zero: bool, strict: bool) -> int:
    """0, or 1 for findings at or above the threshold and for flows that were seen to fail without one; --strict counts
    what was not analysed.
    """
    from trigger_audit.findings.model import Severity

    if exit_zero:
        return 0
    if strict and result.not_analysed:
        return 1
    if fail_on is FailOn.NEVER:
        return 0
    if result.unexplained:
        return 1
    threshold = Severity(fail_on.value).rank
    failing = (finding.severity.rank >= threshold for finding in result.findings if finding.counts)
    return int(any(failing))
