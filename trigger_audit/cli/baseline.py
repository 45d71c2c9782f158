"""`--baseline` with its two companions, and what is told of it and of the settings' ignored findings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_audit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trigger_audit.cli.terminal import Messages
    from trigger_audit.findings.exemptions import Exemption
    from trigger_audit.findings.model import Severity
    from trigger_audit.pipeline import ScanResult
    from trigger_audit.rules.base import Rule
    from trigger_audit.settings import Settings
    from trigger_audit.settling import BaselineFile, Settling

BaselineOption = Annotated[
    str | None,
    typer.Option("--baseline", metavar="FILE", help="Only findings that are not in this file fail the run."),
]
WriteBaseline = Annotated[
    bool, typer.Option("--write-baseline", help="Write the findings there are into the baseline's file.")
]
PruneBaseline = Annotated[
    bool, typer.Option("--prune-baseline", help="Take what is not found any more out of the baseline's file.")
]

_MOST = 5


def settling_of(
    settings: Settings,
    rules: Sequence[Rule],
    severities: Mapping[str, Severity],
    *,
    write: bool,
    prune: bool,
) -> Settling:
    """What the settings settle, with the baseline read. Raises TriggerAuditError before anything else is done."""
    from trigger_audit.settings import exemptions
    from trigger_audit.settling import Settling

    return Settling(
        judged=frozenset(rule.meta.code for rule in rules),
        today=datetime.now(UTC).date(),
        severities=severities,
        exemptions=exemptions(settings),
        baseline=_baseline_file(settings, write=write, prune=prune),
    )


def _baseline_file(settings: Settings, *, write: bool, prune: bool) -> BaselineFile | None:
    from trigger_audit.findings.baseline_file import check_writable, read_baseline
    from trigger_audit.settling import BaselineFile, Update

    if write and prune:
        raise UsageError("--write-baseline and --prune-baseline contradict each other", "to write is to prune as well")
    name = settings.baseline.value
    if not name.strip():
        if settings.baseline.source == "--baseline":
            raise UsageError("--baseline is empty", "is the variable that it comes from set?")
        if write or prune:
            option = "--write-baseline" if write else "--prune-baseline"
            raise UsageError(f"{option} needs a file", "name it with --baseline, or as baseline in the settings")
        return None
    path = Path(name)
    if write or prune:
        check_writable(path)
    if write and not path.exists():
        return BaselineFile(path, update=Update.WRITE)
    # Also before it is written: what is no baseline is not ours to overwrite.
    return BaselineFile(path, read_baseline(path), Update.WRITE if write else Update.PRUNE if prune else None)


def tell_what_is_settled(result: ScanResult, settling: Settling, messages: Messages) -> None:
    """Exemptions that have ended or are about nothing, and what became of the baseline."""
    from trigger_audit.findings.model import BaselineState
    from trigger_audit.settling import Update

    settled = result.settled
    for each in settled.expired:
        messages.note(f"note: ignore-finding {_named(each)} held until {each.expires}: the finding counts again")
    for each in settled.idle:
        messages.note(f"note: ignore-finding {_named(each)} is about nothing that was found")
    file = settling.baseline
    if file is None:
        return
    if settled.stale:
        names = _listed(f"{entry.rule} {entry.object}" for entry in settled.stale)
        if file.update:
            messages.note(f"note: gone, and taken out of {file.path}: {names}")
        else:
            messages.note(f"note: in {file.path}, and gone: {names}; --prune-baseline takes that out")
    if file.update is Update.WRITE:
        known = [each for each in result.findings if each.suppressed is None and each.baseline]
        number = sum(each.baseline is BaselineState.UNCHANGED for each in known)
        number += sum(entry.count for entry in settled.unjudged)
        messages.say(f"baseline: {file.path} holds {number} {'finding' if number == 1 else 'findings'} now")


def _named(exemption: Exemption) -> str:
    return f"{exemption.rule} of {exemption.object}"


def _listed(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    more = len(found) - _MOST
    return ", ".join(found[:_MOST]) + (f" and {more} more" if more > 0 else "")
