"""What a scan with a proof has to say of flows that fail without a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trigger_audit.report.smoke_table import by_failure, listed
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.smoke.model import FlowResult


def unexplained_words(flows: Sequence[FlowResult]) -> str:
    """One line: each failure with the flows that it breaks, and where the cause is to be had."""
    told = [
        f"{listed(broken)}: {plain(f'{step.sqlstate} {step.message}' if step.sqlstate else step.message)}"
        for step, broken in by_failure(flows)
    ]
    return f"default flows fail that no finding explains: {'; '.join(told)} (trigger-audit smoke names the cause)"
