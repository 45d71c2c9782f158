"""`--config` and `--show-settings`: the settings of a project in front of its target."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from trigger_audit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trigger_audit.cli.terminal import Messages
    from trigger_audit.settings import Settings
    from trigger_audit.target import Target

ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="These settings instead of the nearest trigger-audit.toml or pyproject.toml upward from here.",
    ),
]
ShowSettings = Annotated[
    bool, typer.Option("--show-settings", help="Print each setting and where it comes from, and do nothing else.")
]


def read_settings(config: str | None) -> Settings:
    """The settings of the file that is named, else of the nearest one. Raises TriggerAuditError."""
    from trigger_audit.settings import load_settings

    if config is None:
        return load_settings(Path.cwd())
    if not config.strip():
        raise UsageError("--config is empty", "is the variable that it comes from set?")
    file = Path(config)
    try:
        is_folder, exists = file.is_dir(), file.exists()
    except (OSError, ValueError):
        is_folder = exists = False
    if is_folder or not exists:
        raise UsageError(f"--config: {config!r} is {'a folder' if is_folder else 'no file'}")
    return load_settings(Path.cwd(), file)


def told_by_project(settings: Settings, target: Target, messages: Messages) -> Settings:
    """With the flows that the target's config.toml enables, where the settings do not say which; says so."""
    from trigger_audit.sandbox.config import enabled_flows
    from trigger_audit.settings import Setting
    from trigger_audit.target import SqlTarget

    if settings.file is not None:
        messages.note(f"settings: {settings.file}")
    if settings.flows.value is not None or not isinstance(target, SqlTarget):
        return settings
    found = [each for path in target.paths if isinstance(path, Path) and (each := enabled_flows(path)) is not None]
    for each in found:
        if each.problem is not None:
            messages.note(f"note: which flows {each.file} enables is not known: {each.problem}")
    flows = tuple(dict.fromkeys(flow for each in found for flow in each.flows))
    if not flows:
        return settings
    source = ", ".join(str(each.file) for each in found if each.flows)
    messages.note(f"note: {source} enables {', '.join(flows)}: what breaks there counts")
    return replace(settings, flows=Setting(flows, source))


def show_settings(
    settings: Settings,
    targets: list[str] | None,
    choose: Callable[[list[str] | None, Messages], Target],
    messages: Messages,
) -> NoReturn:
    """The settings as they hold for the target that the command would choose, on standard output; ends the command.

    Without any target they are shown as well.
    """
    from trigger_audit.settings import settings_lines

    try:
        target = choose(targets, messages)
    except UsageError:
        if targets:
            raise
    else:
        settings = told_by_project(settings, target, messages)
    sys.stdout.write(settings_lines(settings))
    raise typer.Exit
