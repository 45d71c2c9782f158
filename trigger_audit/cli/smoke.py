"""`trigger-audit smoke`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_audit.cli.delivery import deliver
from trigger_audit.cli.given import (
    EmailOption,
    MetadataOption,
    PayloadOption,
    read_email,
    read_metadata,
    read_payloads,
)
from trigger_audit.cli.options import (
    Docker,
    ExitZero,
    Format,
    FormatOption,
    OutputOption,
    Postgres,
    Quiet,
    SideEffects,
    SmokeFailOn,
    Strict,
    Targets,
    Verbose,
    codes,
    parse_outputs,
    sandbox_server,
    verbosity,
)
from trigger_audit.cli.own import PROJECT_ROLE, AsRoleOption, StatementOption, read_statements
from trigger_audit.cli.settings import ConfigOption, ShowSettings, read_settings, show_settings, told_by_project
from trigger_audit.cli.telling import announcer, chosen_target, tell_about
from trigger_audit.cli.terminal import Messages
from trigger_audit.cli.verdict import no_verdict
from trigger_audit.errors import TriggerAuditError, UsageError

if TYPE_CHECKING:
    from trigger_audit.auth.versions import Version
    from trigger_audit.pipeline import SmokeResult


def smoke(
    targets: Targets = None,
    flow: Annotated[
        list[str] | None, typer.Option("--flow", metavar="FLOW", help="Only these flows: signup-email, login ...")
    ] = None,
    payload: PayloadOption = None,
    metadata: MetadataOption = None,
    email: EmailOption = None,
    statement: StatementOption = None,
    as_role: AsRoleOption = None,
    allow_side_effects: SideEffects = False,
    allow_locks: Annotated[
        bool,
        typer.Option(
            "--allow-locks",
            help="Let the search for the culprit take locks that hold up other sessions' writes for a moment.",
        ),
    ] = False,
    unmask: Annotated[
        bool | None,
        typer.Option(
            "--unmask/--no-unmask",
            help="Replay with exception handlers opened, to see what they hide; usual in a sandbox only.",
            show_default=False,
        ),
    ] = None,
    auth_version: Annotated[
        str | None,
        typer.Option(
            "--auth-version", metavar="VERSION", help="Tell the answers of this version of Auth, such as 2.158.1."
        ),
    ] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    fail_on: Annotated[
        SmokeFailOn | None, typer.Option("--fail-on", help="Exit 1 on this outcome and worse; usually altered.")
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
    """Run Auth's flows on the target (or --statement), rolled back: would a sign-up work, if not, what breaks it?"""
    from trigger_audit.opening import open_target
    from trigger_audit.pipeline import SmokeOptions
    from trigger_audit.pipeline import smoke as run
    from trigger_audit.settings import with_options

    messages = Messages(verbosity(verbose, quiet))
    outputs = parse_outputs(output, format_)
    server = sandbox_server(postgres, docker)
    given, address = read_metadata(metadata), read_email(email)
    payloads = read_payloads(codes(payload), given)
    version = parse_auth_version(auth_version)
    of_flows = {"--flow": flow, "--payload": payload, "--metadata": metadata, "--email": email}
    script = read_statements(statement, as_role, targets, {**of_flows, "--auth-version": auth_version})
    settings = with_options(read_settings(config), smoke_fails_on=fail_on)
    if show:
        show_settings(settings, targets, chosen_target, messages)
    target = chosen_target(targets, messages)
    settings = told_by_project(settings, target, messages)
    with open_target(target, postgres=server, progress=messages.progress) as opened:
        tell_about(opened, messages)
        options = SmokeOptions(
            flows=codes(flow) or None,
            payloads=payloads,
            given=given,
            email=address,
            allow_side_effects=allow_side_effects,
            allow_locks=allow_locks or opened.nobody_waits,
            unmask=unmask if unmask is not None else opened.in_sandbox,
            auth_version=version,
            enabled=frozenset(settings.flows.value or ()),
            expect=settings.expect.value,
        )
        announce = announcer(opened, messages)
        if script is None:
            messages.progress("running the flows of Auth")
            result = run(
                opened.connection,
                opened.info,
                options,
                not_applied=opened.not_applied,
                unmade=opened.unmade,
                announce=announce,
            )
        else:
            from trigger_audit.statements import smoke_statements

            messages.progress("running the statements")
            result = smoke_statements(
                opened.connection,
                opened.info,
                script,
                options,
                as_role=as_role or (PROJECT_ROLE if opened.in_sandbox else None),
                not_applied=opened.not_applied,
                unmade=opened.unmade,
                announce=announce,
            )
        result = replace(result, source_map=opened.source_map)
    messages.clear()
    deliver(result, format_, outputs, messages)
    problem = no_verdict(result.report)
    if problem is not None:
        raise TriggerAuditError(problem)
    fails_on = SmokeFailOn(settings.smoke_fails_on.value)
    raise typer.Exit(exit_code(result, fails_on, exit_zero=exit_zero, strict=strict))


def parse_auth_version(text: str | None) -> Version | None:
    """The version of Auth that is named. UsageError where it is none, or one whose answers are not known."""
    from trigger_audit.auth.versions import parse_version

    try:
        return None if text is None else parse_version(text)
    except ValueError as error:
        raise UsageError(f"--auth-version: {error}") from None


def exit_code(result: SmokeResult, fail_on: SmokeFailOn, *, exit_zero: bool, strict: bool) -> int:
    """0, or 1 when a default flow failed (or was altered); latent flows do not count, and a flow of which something
    is expected only where it goes otherwise, latent or not.

    --strict counts flows that were skipped, statements that were not applied or that hosted Supabase refuses, and what
    Auth's own role is refused.
    """
    from trigger_audit.smoke.model import Outcome, failing_flows

    flows = result.report.flows
    if exit_zero:
        return 0
    if strict and (result.not_analysed or result.refused or any(flow.outcome is Outcome.SKIPPED for flow in flows)):
        return 1
    bad = {SmokeFailOn.FAIL: {Outcome.FAIL}, SmokeFailOn.ALTERED: {Outcome.FAIL, Outcome.ALTERED}}.get(fail_on, set())
    return int(bool(bad) and any(flow.as_expected is False or flow.outcome in bad for flow in failing_flows(flows)))
