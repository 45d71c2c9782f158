"""What every command says before its work: the target and why, the server, the statements that it refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.cli.terminal import Messages
    from trigger_audit.opening import OpenTarget
    from trigger_audit.target import Target


def chosen_target(arguments: list[str] | None, messages: Messages) -> Target:
    """The target, announced on the first line of standard error. Raises UsageError."""
    from trigger_audit.target import announcement, choose_target

    target = choose_target(arguments or (), os.environ, Path.cwd())
    messages.say(announcement(target))
    for note in target.notes:
        messages.note(f"note: {note}")
    return target


def tell_about(opened: OpenTarget, messages: Messages) -> None:
    """Which server judges, and which statements of the files it refused."""
    messages.detail(f"server: PostgreSQL {opened.server.version}, {opened.server.platform}")
    for note in opened.server.notes:
        messages.note(f"note: {note}")
    if opened.loaded is None:
        return
    for note in opened.loaded.notes:
        messages.note(f"note: {note}")
    for failed in opened.loaded.failed:
        state = f" ({failed.sqlstate})" if failed.sqlstate else ""
        messages.note(f"not applied: {failed.file}:{failed.line}: {failed.message}{state}")
