"""Refuses to run what ROLLBACK would not undo."""

from __future__ import annotations

from collections.abc import Sequence

from trigger_audit.analysis.model import Hazard
from trigger_audit.errors import TriggerAuditError


def describe(hazard: Hazard) -> str:
    place = hazard.function if hazard.line is None else f"{hazard.function} line {hazard.line}"
    return f"{place} calls {hazard.call} ({hazard.effect})"


def refuse_hazards(hazards: Sequence[Hazard], *, allow: bool, sandbox: bool = False, what: str = "a sign-up") -> None:
    """TriggerAuditError naming every hazard that `what` reaches, unless they are allowed.

    A `sandbox` is thrown away, but that does not take back what goes out of it.
    """
    if hazards and not allow:
        raise TriggerAuditError(
            f"{what} reaches what a rollback does not undo: " + "; ".join(describe(hazard) for hazard in hazards),
            "what goes out of the sandbox is done for good: accept that with --allow-side-effects"
            if sandbox
            else "run it on a copy or a sandbox, or accept the effects with --allow-side-effects",
        )
