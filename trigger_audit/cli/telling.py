"""What every command says before its work: the target and why, the server, the statements that it refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trigger_audit.cli.terminal import Messages
    from trigger_audit.opening import OpenTarget
    from trigger_audit.smoke.model import SmokeReport
    from trigger_audit.target import Target

_MOST_SEQUENCES = 10


def chosen_target(arguments: list[str] | None, messages: Messages) -> Target:
    """The target, announced on the first line of standard error. Raises UsageError."""
    from trigger_audit.target import choose_target

    target = choose_target(arguments or (), os.environ, Path.cwd())
    tell_target(target, messages)
    return target


def tell_target(target: Target, messages: Messages) -> None:
    """What was taken and why."""
    from trigger_audit.target import announcement

    messages.say(announcement(target))
    for note in target.notes:
        messages.note(f"note: {note}")


def tell_about(opened: OpenTarget, messages: Messages) -> None:
    """Which server judges, and which statements of the files it refused."""
    messages.detail(f"server: PostgreSQL {opened.server.version}, {opened.server.platform}")
    if opened.uncached is not None:
        messages.detail(f"note: the prepared sandbox is not kept in the cache folder: {opened.uncached}")
    for note in opened.server.notes:
        messages.note(f"note: {note}")
    if opened.loaded is None:
        if opened.server.is_superuser:
            supabase = opened.server.platform == "supabase"
            better = "postgres or supabase_auth_admin" if supabase else "a role that is none"
            messages.note(
                f"note: the login is a superuser. Log in as {better}: then no code of the database can have a "
                "superuser's rights, whatever runs it"
            )
        return
    for note in opened.loaded.notes:
        messages.note(f"note: {note}")
    for file, reason in opened.skipped:
        messages.note(f"note: {file} is left out: {reason}")
    if failed := opened.loaded.failed:
        from trigger_audit.opening import as_not_analysed

        # The report lists them all: here is only what explains an odd result at once.
        number, first = len(failed), as_not_analysed(failed[0])
        what = "" if number == 1 else f"{number} statements, all in the report; the first: "
        messages.say(f"not applied: {what}{first.object}:{first.line}: {first.reason.removeprefix('not applied: ')}")


def announcer(opened: OpenTarget, messages: Messages) -> Callable[[Sequence[str]], None] | None:
    """Tells before a run what will stay of it; None for a sandbox, of which nothing can."""
    return None if opened.in_sandbox else lambda sequences: tell_what_stays(sequences, messages)


def tell_what_stays(sequences: Sequence[str], messages: Messages) -> None:
    """What a database keeps of a run although it is rolled back."""
    if sequences:
        more = len(sequences) - _MOST_SEQUENCES
        names = ", ".join(sequences[:_MOST_SEQUENCES]) + (f" and {more} more" if more > 0 else "")
        messages.note(f"note: numbers of sequences are not rolled back, these may advance: {names}")
    # Seen with five triggers: 3,400 rows and 1.3 MB where all flows pass, 9,000 and 2.8 MB where 14 fail. A statement
    # makes a function to run in, and each replay of the search for a culprit runs all statements again.
    messages.note("note: dead rows of the run stay until vacuum, most in pg_proc and pg_depend: up to some megabytes")


def tell_what_was_run(report: SmokeReport, messages: Messages) -> None:
    """How the flows fared behind the proof of a scan, why some gave no verdict, and who ran them if not Auth."""
    outcomes = ", ".join(f"{number} {what}" for what, number in report.summary.items() if number and what != "latent")
    undone = " and rolled back" if report.rolled_back else ""
    messages.note(f"note: the flows of Auth were run{undone}: {outcomes}")
    for reason in dict.fromkeys(flow.reason for flow in report.flows if flow.outcome == "skipped" and flow.reason):
        messages.note(f"note: skipped: {reason}")
    if report.session.by == "approximation":
        messages.note(f"note: they ran as {report.session.role}, so that rights which Auth's role lacks did not show")
