"""Whether a run of the flows is an answer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trigger_audit.smoke.model import FlowResult, SmokeReport


def no_verdict(report: SmokeReport) -> str | None:
    """Why the run is no answer to whether a sign-up works (exit code 2), or None. Latent flows give none."""
    from trigger_audit.auth import flow_named
    from trigger_audit.smoke.model import STATEMENTS

    if not report.rolled_back:
        return "it could not be verified that nothing is left" + (
            f": {report.not_verified}" if report.not_verified else ""
        )
    default = report.default
    if all_skipped(flow for flow in default if flow.flow == STATEMENTS):
        return "the statements gave no verdict: the reason is in the report"
    if all_skipped(default):
        return "every flow was skipped: the reasons are in the report"
    if all_skipped(flow for flow in default if flow.flow != STATEMENTS and flow_named(flow.flow).signs_up):
        return "every sign-up flow was skipped: the reasons are in the report"
    return None


def all_skipped(flows: Iterable[FlowResult]) -> bool:
    """Whether there are flows, and none of them gave a verdict."""
    from trigger_audit.smoke.model import Outcome

    outcomes = {flow.outcome for flow in flows}
    return outcomes == {Outcome.SKIPPED}
