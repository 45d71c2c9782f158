"""`trigger-audit check`."""

from __future__ import annotations

from pathlib import Path
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
    SideEffects,
    Strict,
    Tables,
    Verbose,
    codes,
    parse_outputs,
    sandbox_server,
    verbosity,
)
from trigger_audit.cli.settings import ConfigOption, ShowSettings, read_settings, show_settings, told_by_project
from trigger_audit.cli.telling import tell_about, tell_target
from trigger_audit.cli.terminal import Messages
from trigger_audit.cli.verdict import no_verdict
from trigger_audit.errors import TriggerAuditError

if TYPE_CHECKING:
    from trigger_audit.check.model import CheckResult
    from trigger_audit.target import SqlTarget

Migrations = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="MIGRATIONS",
        show_default=False,
        help="A project folder, a folder of migrations, .sql files, - for stdin. Without one: the project around you.",
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="REF",
        help="Judge only what is new since the merge base with this branch or commit, uncommitted files included.",
    ),
]


def check(
    migrations: Migrations = None,
    base: BaseOption = None,
    table: Tables = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    allow_side_effects: SideEffects = False,
    baseline: BaselineOption = None,
    write_baseline: WriteBaseline = False,
    prune_baseline: PruneBaseline = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit 1 at this severity and above, a broken flow being an error; or never."),
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
    """Would these migrations break sign-up? Applied to a sandbox, scanned, and Auth's flows run: before they deploy."""
    from trigger_audit.check.run import CheckOptions
    from trigger_audit.check.run import check as run
    from trigger_audit.settings import chosen_rules, with_options

    messages = Messages(verbosity(verbose, quiet))
    outputs = parse_outputs(output, format_)
    server = sandbox_server(postgres, docker)
    settings = with_options(
        read_settings(config),
        select=codes(select),
        ignore=codes(ignore),
        tables=tuple(table or ()),
        check_fails_on=fail_on,
        baseline=baseline,
    )
    rules, severities = chosen_rules(settings)
    if show:
        show_settings(settings, migrations, chosen_migrations, messages)
    settling = settling_of(settings, rules, severities, write=write_baseline, prune=prune_baseline)
    target = chosen_migrations(migrations, messages)
    by_config = settings.flows.value is None
    settings = told_by_project(settings, target, messages)
    options = CheckOptions(
        rules,
        settling,
        tables=settings.tables.value,
        enabled=frozenset(settings.flows.value or ()),
        enabled_by_config=by_config,
        expect=settings.expect.value,
        allow_side_effects=allow_side_effects,
        postgres=server,
    )
    result = run(
        target,
        base,
        options,
        progress=messages.progress,
        about=lambda opened: tell_about(opened, messages),
        note=messages.note,
    )
    messages.clear()
    deliver(result, format_, outputs, messages)
    tell_what_is_settled(result.scan, settling, messages)
    reason = result.not_smoked if result.smoke is None else no_verdict(result.smoke.report)
    if reason is not None:
        # The findings stand without the flows, and have been shown.
        raise TriggerAuditError(reason)
    raise typer.Exit(exit_code(result, FailOn(settings.check_fails_on.value), exit_zero=exit_zero, strict=strict))


def chosen_migrations(arguments: list[str] | None, messages: Messages) -> SqlTarget:
    """The files to judge, announced on the first line of standard error: never a database, whatever is set."""
    from trigger_audit.target import choose_files

    target = choose_files(arguments or (), Path.cwd())
    tell_target(target, messages)
    return target


def exit_code(result: CheckResult, fail_on: FailOn, *, exit_zero: bool, strict: bool) -> int:
    """0, or 1 for what the migrations bring: findings at or above the threshold, broken or altered flows, statements
    that PostgreSQL refuses. --strict counts what could not be looked at or run as well.
    """
    from trigger_audit.findings.model import Severity

    if exit_zero:
        return 0
    if strict and (result.not_analysed or result.skipped):
        return 1
    if fail_on is FailOn.NEVER:
        return 0
    threshold = Severity(fail_on.value).rank
    return int(bool(result.failing or result.broken) or any(each.severity.rank >= threshold for each in result.added))
